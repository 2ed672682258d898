package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-project/holdfast/bench"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/inbox"
)

// The sources of the backlog case: whose events wait, and the other subject's, one for
// each of its two times.
const (
	backlogSource = "backlog"
	beforeSource  = "before"
	duringSource  = "during"
)

// backlog drains one subject with many events while another one goes on.
func (s *scale) backlog(ctx context.Context, r *result) error {
	var f *filler
	began := time.Now()
	err := withStore(ctx, s.inbox, func(store inbox.Inbox) error {
		f = newFiller(store, backlogSource)
		return f.pause(ctx, store, r.Size)
	})
	if err != nil {
		return err
	}
	r.FillSeconds = round(time.Since(began).Seconds())

	t, err := newTally(ctx, r.Size)
	if err != nil {
		return err
	}
	defer t.close()
	routes := []route{{backlogSource, t.address}}
	listen := map[string]string{}
	for _, source := range []string{beforeSource, duringSource} {
		port, err := fleet.FreePort(ctx)
		if err != nil {
			return err
		}
		listen[source] = local(port)
		routes = append(routes, route{source, listen[source]})
	}
	d, err := s.daemon(ctx, s.inbox, []string{beforeSource, duringSource}, routes)
	if err != nil {
		return err
	}
	err = s.resumeBesides(ctx, r, d, f, t, listen)
	if err = errors.Join(err, d.stop()); err != nil {
		return err
	}
	r.Problems = append(r.Problems, t.problems(&f.pending)...)
	return nil
}

// pause appends events to a subject that an operator has paused.
func (f *filler) pause(ctx context.Context, store inbox.Operator, events int) error {
	one := f.subject(0)
	if err := f.append(ctx, 0, one); err != nil {
		return err
	}
	pause := inbox.Verb{Verb: inbox.VerbPause, Subject: one, By: "scale", Reason: "until all are there", Now: time.Now()}
	if _, err := store.Operate(ctx, pause); err != nil {
		return err
	}
	return f.many(ctx, 1, events, func(int) string { return one })
}

// resumeBesides has the other subject's events sent alone, resumes the backlog and has
// them sent beside it until it is drained.
func (s *scale) resumeBesides(ctx context.Context, r *result, d *daemon, f *filler, t *tally, listen map[string]string) error {
	calm := bench.Workload{Name: "calm", Duration: s.calm, Subjects: 1, Connections: 1, Rate: float64(time.Second) / float64(s.probe)}
	before, err := s.send(ctx, r, d.load(beforeSource, listen[beforeSource], calm), nil)
	if err != nil {
		return err
	}
	r.Before = &before.Delivered
	if waiting, _ := t.progress(); waiting > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d events of a paused subject were delivered", waiting))
	}

	calm.Duration = 24 * time.Hour // until it is told to end
	w, err := s.watch(ctx, d, func() int { n, _ := t.progress(); return n })
	if err != nil {
		return err
	}
	sending, drained := context.WithCancel(ctx)
	defer drained()
	var beside sync.WaitGroup
	var during *bench.Report
	var failed error
	beside.Go(func() { during, failed = s.send(sending, r, d.load(duringSource, listen[duringSource], calm), nil) })
	if err = d.resume(ctx, f.subject(0)); err == nil {
		err = t.await(ctx)
	}
	r.Drain, err = w.endAfter(ctx, err)
	drained()
	beside.Wait()
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	r.During, r.Drain.Tenths = &during.Delivered, t.speeds(w.began)
	return nil
}
