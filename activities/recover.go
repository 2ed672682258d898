package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// infrastructureWait is how long a recovery waits for our own inbox.
	infrastructureWait = 5 * time.Second

	// earlySlack is how much too early an attempt may wake and wait in place: the
	// clocks of two machines differ.
	earlySlack = 250 * time.Millisecond
)

// Recover makes one more attempt at a subject's first event, with the full time
// limit. It runs as an ordinary activity, so that the waits between attempts are
// Temporal's: the error it returns carries the next one. An error of type
// ErrorCritical means that the subject is now held.
func (a *Activities) Recover(ctx context.Context, in workflows.RecoverInput) (workflows.RecoverOutput, error) {
	if a.stopping.Load() {
		return workflows.RecoverOutput{}, tryAgain("the worker is stopping", stoppingWait)
	}
	w, err := a.claimDue(ctx, in)
	if err != nil {
		return workflows.RecoverOutput{}, err
	}
	out := workflows.RecoverOutput{Epoch: w.subject.Epoch}
	if !w.taken() {
		return out, nil
	}
	entries, err := a.store.Next(ctx, in.Subject, 1, 1)
	if err != nil {
		w.release(ctx, time.Time{})
		return out, notNow(err)
	}
	if len(entries) == 0 || entries[0].Sequence != in.Sequence {
		w.release(ctx, time.Time{})
		return out, nil // settled meanwhile
	}
	return a.attempt(ctx, w, entries[0], out)
}

// claimDue claims the subject when its next attempt is due. What comes back
// without an epoch has nothing to do: the subject is held or at rest. An error is
// the activity's, with the time until it is due.
func (a *Activities) claimDue(ctx context.Context, in workflows.RecoverInput) (*work, error) {
	for {
		// A reset run inherits its activities with the input that the run before it
		// recorded, so which run this is comes from the task.
		w, err := a.claim(ctx, workflows.DrainInput{
			Subject: in.Subject, RunID: activity.GetInfo(ctx).WorkflowExecution.RunID,
			OriginalRunID: in.OriginalRunID, AfterEpoch: in.AfterEpoch,
		}, a.config.policy().RecoverTimeout)
		if err != nil {
			return nil, notNow(err)
		}
		wait := w.subject.NextWake.Sub(a.now())
		switch {
		case w.inHand > 0:
			return nil, tryAgain("the run before this one may have the event in hand", w.inHand)
		case w.taken(), w.subject.Held, w.subject.Pending == 0:
			return w, nil
		case wait > earlySlack:
			return nil, tryAgain(w.subject.LastError, wait)
		case !pause(ctx, wait):
			return nil, ctx.Err()
		}
	}
}

func (a *Activities) attempt(ctx context.Context, w *work, e inbox.Entry, out workflows.RecoverOutput) (workflows.RecoverOutput, error) {
	s, err := w.handle(ctx, e, a.config.DeliveryTimeout, true)
	switch {
	case err != nil:
		return out, notNow(err)
	case s.busy != nil:
		w.release(ctx, time.Time{})
		return out, tryAgain(s.busy.Error(), max(s.wait, jittered(infrastructureWait)))
	case s.failed != nil && s.hold:
		return out, giveUp(textOf(s.failed))
	case s.failed != nil:
		return out, tryAgain(textOf(s.failed), s.wait)
	}
	if out.Settled = s.settled != nil; s.gone {
		w.release(ctx, time.Time{})
	}
	return out, nil
}

// notNow is our own trouble: no attempt, and another try soon.
func notNow(err error) error {
	text := "the inbox: " + textOf(err)
	if errors.Is(err, inbox.ErrFenced) {
		text = "another worker has the subject"
	}
	return tryAgain(text, jittered(infrastructureWait))
}

// pause waits and tells whether the context lasted.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
