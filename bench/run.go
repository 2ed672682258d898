package bench

import (
	"context"
	"time"
)

const (
	// glance is how often it is looked whether all is delivered.
	glance = 20 * time.Millisecond
	// afterglow is how long it is waited for repetitions once all is delivered.
	afterglow = time.Second
	// progressEvery is how often who watches is told.
	progressEvery = 200 * time.Millisecond
)

// Run sends the workload, waits until all that was accepted is delivered, and judges.
// When ctx ends, no further event begins. watch, if it is not nil, is told of the
// progress now and then, never twice at a time.
func (b *Bench) Run(ctx context.Context, watch func(Progress)) Report {
	began, cpu := time.Now(), ownCPU()
	stop := b.keepWatching(began, watch)
	failure := b.load(ctx)
	b.awaitDeliveries()
	stop()
	r := b.report(began, failure, ctx.Err() != nil)
	r.CPUSeconds = (ownCPU() - cpu).Seconds()
	return r
}

// awaitDeliveries waits until nothing is missing, or until nothing has happened for
// GiveUp.
func (b *Bench) awaitDeliveries() {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	began := time.Now()
	for range tick.C {
		_, missing, last := b.ledger.now()
		if last.Before(began) {
			last = began
		}
		if missing == 0 || time.Since(last) > b.options.GiveUp {
			break
		}
	}
	<-time.After(afterglow)
}

// keepWatching tells of the progress until stop is called, and then once more.
func (b *Bench) keepWatching(began time.Time, watch func(Progress)) (stop func()) {
	if watch == nil {
		return func() {}
	}
	tell := func() {
		p, _, _ := b.ledger.now()
		if b.options.Events > 0 {
			p.Fraction = float64(p.Accepted) / float64(b.options.Events)
		} else {
			p.Fraction = min(1, time.Since(began).Seconds()/b.options.Duration.Seconds())
		}
		watch(p)
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				tell()
			case <-over:
				tell()
				return
			}
		}
	}()
	return func() { close(over); <-done }
}
