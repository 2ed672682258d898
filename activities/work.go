package activities

import (
	"context"
	"log/slog"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// proofAge is how old the last proof of ownership, a claim or a settle, may be
	// when a handler starts. A worker that was frozen for longer asks first.
	proofAge = time.Second

	// recordTimeout bounds the settle after an attempt. It runs to its end even if
	// the activity's time is up: unless another claim came, it saves a repeat.
	recordTimeout = 8 * time.Second
	// recordPause is between two tries to record it: what is lost is repeated.
	recordPause = 100 * time.Millisecond
)

// work is what one claim allows: to handle a subject's events, one at a time.
type work struct {
	*Activities
	subject  inbox.Subject
	runID    string
	original string
	reopened int
	came     *inbox.Entry  // the subject's first event, if it came with the claim
	inHand   time.Duration // how long another run may have an event in hand; then nothing was taken
	inLane   bool          // and it is the relief lane's
	proved   time.Time     // monotonic
	over     time.Time     // monotonic: from then on another run may have the subject
}

// claim asks for the subject's epoch for a run.
func (a *Activities) claim(ctx context.Context, in workflows.DrainInput, busy time.Duration) (*work, error) {
	now, over := a.now(), time.Now().Add(busy)
	claimed, err := a.store.Claim(ctx, inbox.Claim{
		Subject: in.Subject, Now: now, BusyUntil: now.Add(busy),
		RunID: in.RunID, OriginalRunID: in.OriginalRunID, AfterEpoch: in.AfterEpoch,
	})
	if err != nil {
		return nil, err
	}
	if claimed.Reopened > 0 {
		a.log.LogAttrs(ctx, slog.LevelInfo, "a reset run reopened events",
			slog.String("subject", in.Subject), slog.Int("events", claimed.Reopened))
	}
	return &work{
		Activities: a, subject: claimed.Subject, runID: in.RunID, original: in.OriginalRunID,
		reopened: claimed.Reopened, came: claimed.First, inHand: claimed.InHandUntil.Sub(now), inLane: inbox.IsRelief(claimed.InHandBy),
		proved: time.Now(), over: over,
	}, nil
}

// taken tells whether the claim allows to run handlers.
func (w *work) taken() bool { return w.subject.Epoch > 0 }

// release ends the claim's work when no event is in hand. A wake that is not zero is
// when the workflow will look again by itself. If it fails, another run waits a little
// for nothing.
func (w *work) release(ctx context.Context, wake time.Time) {
	if !w.taken() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := w.store.Release(ctx, w.subject.ID, w.subject.Epoch, wake); err != nil {
		w.log.LogAttrs(ctx, slog.LevelWarn, "subject not released", slog.String("subject", w.subject.ID), slog.Any("error", err))
	}
}

// step is what came of one event.
type step struct {
	// settled, when not nil, is what is true of the subject now that this event has
	// its outcome.
	settled *inbox.Settled
	// gone tells that somebody else has settled it meanwhile: an operator.
	gone bool
	// busy, when not nil, is why no attempt was made.
	busy error
	// failed, when not nil, is the attempt that failed.
	failed error
	wait   time.Duration // before the next attempt, or at least before the next look at a busy destination
	hold   bool
}

// handle makes one attempt at an event and records what follows from it. An
// error means that nothing is known to be recorded: it is ErrFenced, or our own
// infrastructure's, or the activity's end.
func (w *work) handle(ctx context.Context, e inbox.Entry, limit time.Duration, retries bool) (step, error) {
	h, routed := w.routes.Match(e.Source, e.Type)
	if !routed {
		return w.settle(context.WithoutCancel(ctx), e, outcome{
			status: inbox.StatusParked, reason: "no route in HOLDFAST_ROUTES matches " + e.Source + "/" + e.Type, last: retries,
		})
	}
	leave, err := w.gate.enter(ctx, h.key(), retries)
	if err != nil {
		return step{busy: err, wait: w.gate.comeback(h.key())}, ctx.Err()
	}
	if err := w.prove(ctx, limit); err != nil {
		leave(errNoAttempt)
		return step{}, err
	}
	start := time.Now()
	err = h.run(ctx, newEvent(e), limit)
	took := time.Since(start)
	if err != nil && ctx.Err() != nil {
		leave(errNoAttempt) // cut off by the end of the activity, not by the destination
		return step{}, ctx.Err()
	}
	leave(err)
	w.metrics.attempt(h.Name, err, took)
	// The record is made also when the activity's time is up: unless another claim
	// came, it saves a repeat.
	o := outcome{handler: h.Name, attempts: 1, last: retries}
	return w.record(context.WithoutCancel(ctx), e, o, err, took)
}

// prove makes sure that the subject is still ours just before a handler starts, and
// stays so until it must have ended: when the claim's time is over the relief lane takes
// the subject at once, and would have the same event in hand.
func (w *work) prove(ctx context.Context, limit time.Duration) error {
	switch {
	case time.Until(w.over) < limit:
		return inbox.ErrFenced
	case time.Since(w.proved) <= proofAge:
		return nil
	}
	if err := w.store.Own(ctx, w.subject.ID, w.subject.Epoch); err != nil {
		return err
	}
	w.proved = time.Now()
	return nil
}
