package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/holdfast-project/holdfast/bench"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/inbox"
)

const (
	crowdSource   = "crowd"
	restartSource = "waiting"
	// connections is how many senders there are at a time.
	connections = 64
)

// crowd sends an event for each of many subjects.
func (s *scale) crowd(ctx context.Context, r *result) error {
	if err := withStore(ctx, s.inbox, func(inbox.Inbox) error { return nil }); err != nil {
		return err
	}
	port, err := fleet.FreePort(ctx)
	if err != nil {
		return err
	}
	d, err := s.daemon(ctx, s.inbox, []string{crowdSource}, []route{{crowdSource, local(port)}})
	if err != nil {
		return err
	}
	var delivered atomic.Int64
	w, err := s.watch(ctx, d, func() int { return int(delivered.Load()) })
	if err != nil {
		return errors.Join(err, d.stop())
	}
	cold := bench.Workload{Name: "cold", Events: r.Size, Connections: connections, Delay: s.delay}
	report, err := s.send(ctx, r, d.load(crowdSource, local(port), cold), func(p bench.Progress) { delivered.Store(int64(p.Delivered)) })
	r.Drain, err = w.endAfter(ctx, err)
	if err = errors.Join(err, d.stop()); err != nil {
		return err
	}
	r.Accepted, r.Drain.Seconds, r.Drain.PerSecond = &report.Accepted, round(report.Delivered.Seconds), round(report.Delivered.PerSecond)
	return nil
}

// restart starts a process over an inbox in which many subjects wait.
func (s *scale) restart(ctx context.Context, r *result) error {
	var f *filler
	began := time.Now()
	err := withStore(ctx, s.inbox, func(store inbox.Inbox) error {
		f = newFiller(store, restartSource)
		return f.many(ctx, 0, r.Size, f.subject)
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
	d, err := s.daemon(ctx, s.inbox, []string{crowdSource}, []route{{restartSource, t.address}, {crowdSource, t.address}})
	if err != nil {
		return err
	}
	w, err := s.watch(ctx, d, func() int { n, _ := t.progress(); return n })
	if err != nil {
		return errors.Join(err, d.stop())
	}
	r.Drain, err = w.endAfter(ctx, t.await(ctx))
	if err = errors.Join(err, d.stop()); err != nil {
		return err
	}
	r.Drain.Tenths = t.speeds(w.began)
	r.Problems = append(r.Problems, t.problems(&f.pending)...)
	return nil
}
