package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/bench/sending"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// requestPatience is how long a sender waits for an answer.
const requestPatience = 30 * time.Second

// turn is a subject whose next event may be sent, and where it goes first.
type turn struct{ place, url int }

// load sends until all is sent, the time is over or ctx ends; what was begun is insisted
// on then. Its error is that an event could not be sent.
func (b *Bench) load(ctx context.Context) error {
	turns := make(chan turn)
	// One that waits for nothing is given to the next connection that is free.
	idle := make(chan int, max(b.options.Subjects, 1))
	for range b.options.Subjects {
		idle <- b.ledger.add()
	}
	work, insisting := errgroup.WithContext(context.WithoutCancel(ctx))
	work.Go(func() error {
		defer close(turns)
		sending, stop := context.WithCancel(ctx)
		defer stop()
		// A connection that gives up ends the sending.
		defer context.AfterFunc(insisting, stop)()
		b.takeTurns(sending, turns, idle)
		return nil
	})
	for range b.options.Connections {
		work.Go(func() error {
			for t := range turns {
				if err := b.sendNext(insisting, t); err != nil {
					return err
				}
				if b.options.Subjects > 0 {
					idle <- t.place
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// takeTurns hands out subjects, at the rate that was asked for if there is one. What
// is late is caught up with.
func (b *Bench) takeTurns(ctx context.Context, turns chan<- turn, idle <-chan int) {
	if b.options.Events == 0 {
		limited, stop := context.WithTimeout(ctx, b.options.Duration)
		defer stop()
		ctx = limited
	}
	began := time.Now()
	for n := 0; b.options.Events == 0 || n < b.options.Events; n++ {
		if b.options.Rate > 0 {
			due := began.Add(time.Duration(float64(n) / b.options.Rate * float64(time.Second)))
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(due)):
			}
		}
		t := turn{url: n}
		if b.options.Subjects == 0 {
			t.place = b.ledger.add()
		} else {
			select {
			case <-ctx.Done():
				return
			case t.place = <-idle:
			}
		}
		select {
		case <-ctx.Done():
			return
		case turns <- t:
		}
	}
}

// sendNext sends the next event of a subject until it is accepted, and once more if it
// is one of those that are sent twice.
func (b *Bench) sendNext(ctx context.Context, t turn) error {
	n := b.ledger.next(t.place)
	sample, digest, err := b.make.event(name(t.place), n)
	if err != nil {
		return err
	}
	times := 1
	if rand.Float64() < b.options.Duplicates {
		times = 2
	}
	b.ledger.begin(t.place, digest, times-1)
	to := func(try int) string { return b.options.URLs[(t.url+try)%len(b.options.URLs)] }
	note := func(a sending.Answer) { b.ledger.answered(t.place, n, a) }
	for range times {
		if err := b.insist(ctx, b.options.GiveUp, sample, to, note); err != nil {
			return err
		}
	}
	return nil
}

// NotAcceptedError is that a webhook was refused for good, or for too long.
type NotAcceptedError struct {
	URL  string
	Last sending.Answer
}

// Error says what was answered last.
func (e *NotAcceptedError) Error() string {
	if e.Last.Err != nil {
		return fmt.Sprintf("%s gives no answer: %v", e.URL, e.Last.Err)
	}
	return fmt.Sprintf("%s answered %d", e.URL, e.Last.Status)
}

// insist sends a webhook for so long, to the URL of each try, until it is accepted or
// refused for good. Its error is a NotAcceptedError.
func (b *Bench) insist(ctx context.Context, patience time.Duration, sample samples.Sample, to func(try int) string, note func(sending.Answer)) error {
	limited, stop := context.WithTimeout(ctx, patience)
	defer stop()
	failed := &NotAcceptedError{}
	sending.Insist(limited, func(try int) (bool, time.Duration) {
		url := to(try)
		a := b.sender.Send(limited, url, sample)
		note(a)
		// What was cut off because the time was over tells less than what came before.
		if failed.URL == "" || a.Status != 0 || limited.Err() == nil {
			failed.URL, failed.Last = url, a
		}
		return a.Accepted() || !a.Later(), a.Retry
	})
	if failed.Last.Accepted() {
		return nil
	}
	return failed
}
