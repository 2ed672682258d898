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
		p.Fraction = b.fraction(p, time.Since(began))
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

// fraction is how much is done after some time: half of it is to send, half to deliver.
func (b *Bench) fraction(p Progress, passed time.Duration) float64 {
	if b.options.Events > 0 {
		return float64(p.Accepted+p.Delivered) / float64(2*b.options.Events)
	}
	sent := min(1, passed.Seconds()/b.options.Duration.Seconds())
	return sent * (1 + float64(p.Delivered)/float64(max(1, p.Accepted))) / 2
}
