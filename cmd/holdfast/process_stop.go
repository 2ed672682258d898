package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// ready is red as soon as the process is asked to stop.
func (p *process) ready(context.Context) error {
	if p.stopping.Load() {
		return errors.New("stopping")
	}
	return nil
}

// letBalancersNotice goes on accepting for the drain delay: readiness is red, but
// who asks for it asks only every few seconds, and sends requests until then.
func (p *process) letBalancersNotice(cause error) {
	delay := p.processSettings.door.DrainDelay
	if p.door == nil || delay == 0 || !errors.Is(cause, context.Canceled) {
		return
	}
	p.log.Info("not ready any more; accepting until load balancers have noticed", slog.Duration("for", delay))
	<-time.After(delay)
}

// lastAnswers has senders open a new connection, to another ingress, once this one
// is stopping.
func (p *process) lastAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
