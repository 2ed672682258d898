package load

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/holdfast-project/holdfast/bench/sending"
	"github.com/holdfast-project/holdfast/providers/samples"
)

const (
	// requestPatience is how long a sender waits for an answer.
	requestPatience = 10 * time.Second
	// A duplicate that is not sent at once comes at most this much later.
	maxDuplicateWait = 10 * time.Second
)

// insist sends an event until it is accepted or ctx ends.
func (l *Load) insist(ctx context.Context, e event) {
	sample, err := samples.Make("redo", samples.Options{Secret: l.options.Secret, Body: e.body})
	if err != nil {
		panic(err) // the options are ours
	}
	sending.Insist(ctx, func(int) (bool, time.Duration) {
		a := l.sender.Send(ctx, l.options.URL, sample)
		l.note(e, a)
		return a.Accepted(), a.Retry
	})
}

// note adds what became of a request to what is known of its event.
func (l *Load) note(e event, a sending.Answer) {
	switch {
	case a.Status == 0 || a.Accepted() && len(a.Receipts) == 1:
	case a.Accepted():
		l.options.Log.Warn("a 2xx that does not say what was accepted", slog.String("subject", e.Subject))
	case a.Status != http.StatusServiceUnavailable && a.Status != http.StatusTooManyRequests:
		l.options.Log.Warn("an answer that no sender expects", slog.Int("status", a.Status), slog.String("subject", e.Subject))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Note(l.sent[e.ID])
	if a.Accepted() && a.Begun.After(l.last) {
		l.last = a.Begun
	}
}
