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

	// A look takes as many events as this, unless their bodies are large.
	lookEvents = 100
	lookBytes  = 4 << 20

	// A busy destination is looked at again after busyWait, doubled up to
	// busyWaitMax: thousands of subjects may be waiting for it.
	busyWait    = 250 * time.Millisecond
	busyWaitMax = 15 * time.Second

	// stoppingWait puts a timer between a worker that stops and the next drain, so
	// that the workflow's next task goes to another worker.
	stoppingWait = time.Second
)

// Drain handles a subject's pending events in sequence order, each once, until
// none is left, its budget is used up, the worker stops, the subject is held, or
// an event fails. It handles only first attempts: an event that has failed
// before is left to its recovery activity. An error is our own infrastructure's.
func (a *Activities) Drain(ctx context.Context, in workflows.DrainInput) (workflows.DrainOutput, error) {
	if a.stopping.Load() {
		return workflows.DrainOutput{Outcome: workflows.OutcomeWait, Wait: stoppingWait, Reason: "the worker is stopping", Policy: a.config.policy()}, nil
	}
	w, err := a.claim(ctx, in, drainBudget+a.config.FirstAttemptTimeout)
	if err != nil {
		return workflows.DrainOutput{}, err
	}
	d := &drain{work: w, waits: in.Waits, until: time.Now().Add(drainBudget)}
	err = d.run(ctx)
	if errors.Is(err, inbox.ErrFenced) {
		// Another drain has the subject. Whoever it belongs to, look again.
		d.wait(stoppingWait, "another drain has the subject")
		err = nil
	}
	d.out.Epoch, d.out.Reopened, d.out.Policy = w.subject.Epoch, w.reopened, a.config.policy()
	return d.out, err
}

// drain is one drain under way.
type drain struct {
	*work
	out   workflows.DrainOutput
	waits int
	until time.Time
}

func (d *drain) run(ctx context.Context) error {
	s := d.subject
	if s.Held {
		return d.heldBy(ctx, s)
	}
	if s.Streak > 0 && s.Pending > 0 {
		return d.recoverHead(ctx)
	}
	if wait := s.NextWake.Sub(d.now()); wait > 0 && s.Pending > 0 {
		d.wait(wait, s.LastError)
		return nil
	}
	for {
		entries, err := d.store.Next(ctx, s.ID, lookEvents, lookBytes)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			d.out.Outcome = workflows.OutcomeEmpty
			return nil
		}
		for _, e := range entries {
			if done, err := d.event(ctx, e); done || err != nil {
				return err
			}
		}
	}
}

// event handles one event and tells whether the drain is over.
func (d *drain) event(ctx context.Context, e inbox.Entry) (done bool, err error) {
	switch {
	case d.stopping.Load():
		d.wait(stoppingWait, "the worker is stopping")
		return true, nil
	case time.Now().After(d.until):
		d.out.Outcome = workflows.OutcomeMore
		return true, nil
	}
	s, err := d.handle(ctx, e, d.config.FirstAttemptTimeout, false)
	switch {
	case err != nil:
		return true, err
	case s.busy != nil:
		d.out.Head = d.head(e)
		d.wait(jittered(doubled(busyWait, d.waits, busyWaitMax)), d.out.Head.Handler+" "+s.busy.Error())
		return true, nil
	case s.failed != nil && s.hold:
		e.Attempts++
		return true, d.heldBy(ctx, d.subject)
	case s.failed != nil:
		e.Attempts++
		d.recover(e)
		return true, nil
	}
	d.out.Settled++
	switch {
	case s.held:
		d.out.Outcome = workflows.OutcomeMore // the next drain tells by whom
		return true, nil
	case s.pending == 0:
		d.out.Outcome = workflows.OutcomeEmpty
		return true, nil
	}
	return false, nil
}

func (d *drain) wait(wait time.Duration, reason string) {
	d.out.Outcome, d.out.Wait, d.out.Reason = workflows.OutcomeWait, max(wait, time.Millisecond), reason
	d.out.Until = d.now().Add(wait)
}

func (d *drain) heldBy(ctx context.Context, s inbox.Subject) error {
	d.out.Outcome, d.out.Reason, d.out.By = workflows.OutcomeHeld, s.HeldReason, s.HeldBy
	if !s.HeldUntil.IsZero() {
		d.out.Wait, d.out.Until = max(s.HeldUntil.Sub(d.now()), time.Millisecond), s.HeldUntil
	}
	entries, err := d.store.Next(ctx, s.ID, 1, 1)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		d.out.Outcome = workflows.OutcomeEmpty // held at rest: the row remembers it
		return nil
	}
	d.out.Head = d.head(entries[0])
	return nil
}

func (d *drain) recoverHead(ctx context.Context) error {
	entries, err := d.store.Next(ctx, d.subject.ID, 1, 1)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		d.out.Outcome = workflows.OutcomeEmpty
		return nil
	}
	d.recover(entries[0])
	return nil
}

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
