package activities

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// outcome is what an event is settled with.
type outcome struct {
	status   inbox.Status
	reason   string
	handler  string
	attempts int
	last     bool // the claim's work ends with it
}

// record turns the end of an attempt into what follows from it.
func (w *work) record(ctx context.Context, e inbox.Entry, o outcome, err error, took time.Duration) (step, error) {
	if err != nil {
		o.reason = textOf(err)
	}
	switch {
	case err == nil:
		o.status = inbox.StatusDelivered
	case Classify(err) == Parked:
		o.status = inbox.StatusParked
	case e.Staging:
		o.status = inbox.StatusFailed
	default:
		return w.fail(ctx, e, o.handler, err, took)
	}
	return w.settle(ctx, e, o)
}

func (w *work) settle(ctx context.Context, e inbox.Entry, o outcome) (step, error) {
	var settled inbox.Settled
	err := persist(ctx, func(ctx context.Context) (err error) {
		settled, err = w.store.Settle(ctx, inbox.Settlement{
			Subject: w.subject.ID, Epoch: w.subject.Epoch, Sequence: e.Sequence, Status: o.status, Reason: o.reason,
			Handler: o.handler, Attempts: o.attempts, Last: o.last, Now: w.now(), RunID: w.runID, OriginalRunID: w.original,
		})
		return err
	})
	if errors.Is(err, inbox.ErrNotPending) {
		return step{gone: true}, nil
	}
	if err != nil {
		return step{}, err
	}
	w.proved = time.Now()
	w.metrics.settled.WithLabelValues(e.Source, string(o.status)).Inc()
	level := slog.LevelDebug
	if o.status != inbox.StatusDelivered {
		level = slog.LevelWarn
	}
	w.log.LogAttrs(ctx, level, "settled", append(about(e.Event), slog.String("status", string(o.status)),
		slog.String("handler", o.handler), slog.String("error", o.reason))...)
	return step{settled: &settled}, nil
}

func (w *work) fail(ctx context.Context, e inbox.Entry, handler string, cause error, took time.Duration) (step, error) {
	var v verdict
	now := w.now() // of every try, so that one whose answer was lost is known again
	err := persist(ctx, func(ctx context.Context) error {
		v = w.config.judge(w.subject, cause, took, rand.Float64())
		failure := inbox.Failure{
			Subject: w.subject.ID, Epoch: w.subject.Epoch, Sequence: e.Sequence, Handler: handler, Error: textOf(cause),
			Spent: v.spent, Now: now, NextWake: now.Add(v.wait), Streak: w.subject.Streak, Holds: w.subject.Holds,
		}
		if v.hold {
			failure.Hold = &inbox.Hold{Until: now.Add(v.wait), Reason: textOf(cause)}
		}
		subject, err := w.store.Fail(ctx, failure)
		if errors.Is(err, inbox.ErrResumed) && recorded(failure, subject) {
			v.wait, v.hold, err = subject.NextWake.Sub(now), subject.Holds > failure.Holds, nil
		}
		if err == nil || errors.Is(err, inbox.ErrResumed) {
			w.subject = subject // judged again by the row as it is
		}
		return err
	})
	if errors.Is(err, inbox.ErrNotPending) {
		return step{gone: true}, nil
	}
	if err != nil {
		return step{}, err
	}
	w.proved = time.Now()
	w.report(ctx, e, handler, cause, v)
	return step{failed: cause, wait: v.wait, hold: v.hold}, nil
}

// recorded tells whether a row that is not as a failure was judged by is so because
// that failure is in it: it was recorded by an earlier try, whose answer was lost.
// Counted again, one attempt would use up the budget of two and hold twice as long.
func recorded(f inbox.Failure, s inbox.Subject) bool {
	return s.Streak == f.Streak+1 && s.FailedAt.UnixMicro() == f.Now.UnixMicro() && s.LastError == f.Error
}

// persist records something with several tries within recordTimeout: what an
// event came to, once lost, is repeated. Whoever lost the epoch or the event does
// not try again.
func persist(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	for {
		err := try(ctx)
		switch {
		case err == nil, errors.Is(err, inbox.ErrFenced), errors.Is(err, inbox.ErrNotPending):
			return err
		case !pause(ctx, recordPause):
			return err
		}
	}
}

// report logs a failed attempt. A subject that becomes held is one line and one
// count: the alert.
func (w *work) report(ctx context.Context, e inbox.Entry, handler string, cause error, v verdict) {
	attributes := append(about(e.Event), slog.String("handler", handler), slog.Int("attempt", e.Attempts+1), slog.String("error", textOf(cause)))
	var p *panicError
	if errors.As(cause, &p) {
		w.log.LogAttrs(ctx, slog.LevelError, "a handler panicked", append(attributes, slog.String("stack", string(p.stack)))...)
	}
	if !v.hold {
		w.log.LogAttrs(ctx, slog.LevelWarn, "attempt failed", append(attributes, slog.Duration("next_try_in", v.wait.Round(time.Millisecond)))...)
		return
	}
	w.metrics.held.WithLabelValues(e.Source).Inc()
	w.log.LogAttrs(ctx, slog.LevelError, "subject held", append(attributes,
		slog.Time("held_until", w.subject.HeldUntil), slog.Int("pending", w.subject.Pending))...)
}

func about(e inbox.Event) []slog.Attr {
	return []slog.Attr{
		slog.String("source", e.Source), slog.String("type", e.Type), slog.String("subject", e.Subject),
		slog.Int64("sequence", e.Sequence), slog.String("event_id", e.EventID),
	}
}
