package activities

import (
	"context"
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
	// A reset run inherits its activities with the input that the run before it
	// recorded, so which run this is comes from the task.
	w, err := a.claim(ctx, workflows.DrainInput{
		Subject: in.Subject, RunID: activity.GetInfo(ctx).WorkflowExecution.RunID,
		OriginalRunID: in.OriginalRunID, AfterEpoch: in.AfterEpoch,
	}, a.config.policy().RecoverTimeout)
	if err != nil {
		return workflows.RecoverOutput{}, tryAgain("the inbox: "+textOf(err), jittered(infrastructureWait))
	}
	out := workflows.RecoverOutput{Epoch: w.subject.Epoch}
	if w.subject.Held || w.reopened > 0 {
		return out, nil
	}
	entries, err := a.store.Next(ctx, in.Subject, 1, 1)
	switch {
	case err != nil:
		return out, tryAgain("the inbox: "+textOf(err), jittered(infrastructureWait))
	case len(entries) == 0 || entries[0].Sequence != in.Sequence:
		return out, nil // settled meanwhile
	}
	if wait := w.subject.NextWake.Sub(a.now()); wait > earlySlack {
		return out, tryAgain(w.subject.LastError, wait)
	} else if wait > 0 && !pause(ctx, wait) {
		return out, ctx.Err()
	}
	return a.attempt(ctx, w, entries[0], out)
}

func (a *Activities) attempt(ctx context.Context, w *work, e inbox.Entry, out workflows.RecoverOutput) (workflows.RecoverOutput, error) {
	s, err := w.handle(ctx, e, a.config.DeliveryTimeout, true)
	switch {
	case err != nil:
		return out, tryAgain("the inbox: "+textOf(err), jittered(infrastructureWait))
	case s.busy != nil:
		return out, tryAgain(s.busy.Error(), jittered(infrastructureWait))
	case s.failed != nil && s.hold:
		return out, giveUp(textOf(s.failed))
	case s.failed != nil:
		return out, tryAgain(textOf(s.failed), s.wait)
	}
	out.Settled = true
	return out, nil
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
