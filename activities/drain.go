package activities

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// drainBudget is when a drain starts no other event. A drain holds a workflow
	// task, whose history, signals and updates wait as long: short enough for an
	// operator, long enough for thousands of events behind one marker.
	drainBudget = 2 * time.Second

	// A busy destination, or an inbox that cannot be reached, is tried again after
	// busyWait, doubled up to busyWaitMax, or later if many wait for the destination.
	busyWait    = 250 * time.Millisecond
	busyWaitMax = 15 * time.Second

	// stoppingWait puts a timer between a worker that stops and the next drain, so
	// that the workflow's next task goes to another worker.
	stoppingWait = time.Second
)

// Drain handles a subject's pending events in sequence order, each once, until
// none is left, its budget is used up, the worker stops, the subject is held, or
// an event fails. It handles only first attempts: an event that has failed
// before is left to its recovery activity. An error means that the inbox could
// not be asked at all; what happened after the claim is always in the output,
// because a reset must find its epoch in the history.
func (a *Activities) Drain(ctx context.Context, in workflows.DrainInput) (workflows.DrainOutput, error) {
	if a.stopping.Load() {
		return a.notNow("the worker is stopping"), nil
	}
	// Temporal gives a task again that it has lost sight of, as when it was killed and
	// came back: then the drain before this one may still be at work here.
	if !a.visits.enter(ctx, in.Subject) {
		return a.notNow("the drain before this one is still at work"), nil
	}
	defer a.visits.end(in.Subject)
	w, err := a.claimAfterLane(ctx, in)
	if err != nil {
		return workflows.DrainOutput{}, err
	}
	return w.drain(ctx, in.Waits), nil
}

// claimAfterLane claims, and if the relief lane of another worker has the subject in
// hand, waits for it: it is nearly always about to leave nothing.
func (a *Activities) claimAfterLane(ctx context.Context, in workflows.DrainInput) (*work, error) {
	for until := time.Now().Add(drainBudget); ; {
		w, err := a.claim(ctx, in, a.config.drainTime())
		if err != nil || w.inHand <= 0 || !w.inLane || time.Now().After(until) || !pause(ctx, laneTick) {
			return w, err
		}
	}
}

// drain does what a claim allows, and ends it.
func (w *work) drain(ctx context.Context, waits int) workflows.DrainOutput {
	d := &drain{work: w, waits: waits, until: time.Now().Add(drainBudget)}
	switch err := d.run(ctx); {
	case errors.Is(err, inbox.ErrFenced):
		// Another drain has the subject. Whoever it belongs to, look again.
		d.wait(stoppingWait, "another drain has the subject")
	case err != nil:
		d.backOff(0, "the inbox cannot be reached: "+textOf(err))
	}
	if d.out.Outcome != workflows.OutcomeEmpty && d.out.Outcome != workflows.OutcomeHeld {
		d.release(ctx, d.wake())
	}
	d.out.Epoch, d.out.Reopened, d.out.Policy = w.subject.Epoch, w.reopened, w.config.policy()
	return d.out
}

// notNow is the answer of a drain that claims nothing.
func (a *Activities) notNow(reason string) workflows.DrainOutput {
	return workflows.DrainOutput{Outcome: workflows.OutcomeWait, Wait: stoppingWait, Reason: reason, Policy: a.config.policy()}
}

// drain is one drain under way.
type drain struct {
	*work
	out   workflows.DrainOutput
	waits int
	until time.Time
}

func (d *drain) run(ctx context.Context) error {
	switch s := d.subject; {
	case s.Pending == 0:
		d.out.Outcome = workflows.OutcomeEmpty // if it is held, its row remembers that
		return nil
	case s.Held:
		return d.heldBy(ctx)
	case d.inHand > 0:
		d.wait(d.inHand, "another run may have an event in hand")
		return nil
	case s.Streak > 0:
		return d.recoverHead(ctx)
	case !d.taken():
		d.wait(s.NextWake.Sub(d.now()), s.LastError)
		return nil
	}
	for most := 1; ; most = lookEvents {
		entries, err := d.look(ctx, most)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			d.out.Outcome = workflows.OutcomeEmpty
			return nil
		}
		if done, err := d.page(ctx, entries); done || err != nil {
			return err
		}
	}
}

// event handles one event and returns the sequence of the next; 0 ends the drain.
func (d *drain) event(ctx context.Context, e inbox.Entry) (next int64, err error) {
	if d.out.Settled > 0 && time.Now().After(d.until) {
		d.out.Outcome = workflows.OutcomeMore
		return 0, nil
	}
	if d.yield(ctx, e.Source); d.stopping.Load() {
		d.wait(stoppingWait, "the worker is stopping")
		return 0, nil
	}
	s, err := d.handle(ctx, e, d.config.FirstAttemptTimeout, false)
	switch {
	case err != nil:
		return 0, err
	case s.busy != nil:
		d.out.Head = d.head(e)
		d.backOff(s.wait, d.out.Head.Handler+" "+s.busy.Error())
		return 0, nil
	case s.gone:
		d.out.Outcome = workflows.OutcomeMore // whatever else the operator did, the next claim tells
		return 0, nil
	case s.failed != nil && s.hold:
		return 0, d.heldBy(ctx)
	case s.failed != nil:
		e.Attempts++
		d.recover(e)
		return 0, nil
	}
	d.out.Settled++
	switch {
	case s.settled.Pending == 0:
		d.out.Outcome = workflows.OutcomeEmpty
		return 0, nil
	case s.settled.Held:
		d.out.Outcome = workflows.OutcomeMore // the next drain tells by whom
		return 0, nil
	}
	return s.settled.Next, nil
}

func (d *drain) wait(wait time.Duration, reason string) {
	d.out.Outcome, d.out.Wait, d.out.Reason = workflows.OutcomeWait, max(wait, time.Millisecond), reason
	d.out.Until = d.now().Add(wait)
}

// wake is when the workflow looks again by itself; zero: at once, or somebody else does.
func (d *drain) wake() time.Time {
	if d.out.Outcome != workflows.OutcomeWait {
		return time.Time{}
	}
	return d.out.Until
}

// backOff waits longer each time that the drains before this one waited too, and at
// least so long.
func (d *drain) backOff(least time.Duration, reason string) {
	d.wait(max(least, jittered(doubled(busyWait, d.waits, busyWaitMax))), reason)
}

func (d *drain) heldBy(ctx context.Context) error {
	s := d.subject
	d.out.Outcome, d.out.Reason, d.out.By = workflows.OutcomeHeld, s.HeldReason, s.HeldBy
	if !s.HeldUntil.IsZero() {
		d.out.Wait, d.out.Until = max(s.HeldUntil.Sub(d.now()), time.Millisecond), s.HeldUntil
	}
	return d.first(ctx, func(e inbox.Entry) { d.out.Head = d.head(e) })
}

func (d *drain) recoverHead(ctx context.Context) error { return d.first(ctx, d.recover) }

func (d *drain) recover(e inbox.Entry) {
	d.out.Outcome, d.out.Head = workflows.OutcomeRecover, d.head(e)
}

func (d *drain) head(e inbox.Entry) *workflows.Head {
	h, routed := d.routes.Match(e.Source, e.Type)
	if !routed {
		h.Name = "no route"
	}
	return &workflows.Head{
		Sequence: e.Sequence, Type: e.Type, Handler: h.Name, Attempts: e.Attempts,
		Error: d.subject.LastError, FailedAt: d.subject.FailedAt,
	}
}
