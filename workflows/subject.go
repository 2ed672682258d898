package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// drainTimeout ends a drain that hangs. A drain limits itself to a fraction of it.
	drainTimeout = time.Minute

	// After a drain that could not reach the inbox, the next waits brokenWait,
	// doubled up to brokenWaitMax.
	brokenWait    = time.Second
	brokenWaitMax = 30 * time.Second
)

// Subject handles the events of one subject, in order, until none is left.
func Subject(ctx workflow.Context, in Input) error {
	s := newSubject(ctx, in)
	if err := s.answer(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// subject is one run. Its size does not depend on how many events it handles.
type subject struct {
	id       string
	runID    string
	original string
	epoch    int64 // the last in this run's history
	doorbell workflow.ReceiveChannel
	operate  workflow.ReceiveChannel
	operated int  // signals that carried a verb
	changed  bool // an update changed the subject row
	broken   int  // drains in a row that failed
	waits    int  // drains in a row that had to wait
	shown    string
	status   Status
}

func newSubject(ctx workflow.Context, in Input) *subject {
	info := workflow.GetInfo(ctx)
	original := info.OriginalRunID
	if original == "" { // the SDK's test environment has none
		original = info.WorkflowExecution.RunID
	}
	return &subject{
		id:       info.WorkflowExecution.ID,
		runID:    info.WorkflowExecution.RunID,
		original: original,
		doorbell: workflow.GetSignalChannel(ctx, SignalDoorbell),
		operate:  workflow.GetSignalChannel(ctx, SignalOperate),
		shown:    in.State,
		status:   Status{Subject: info.WorkflowExecution.ID, State: StatePending},
	}
}

func (s *subject) run(ctx workflow.Context) error {
	for {
		s.hear(ctx)
		out, err := s.drain(ctx)
		if ctx.Err() != nil {
			return ctx.Err() // canceled: the sweeper rings again for what is left
		}
		done := s.follow(ctx, out, err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case done:
			return nil
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			return s.continueAsNew(ctx)
		}
	}
}

// follow does what a drain's outcome asks for, and tells whether the run may end.
func (s *subject) follow(ctx workflow.Context, out DrainOutput, err error) (done bool) {
	if err != nil {
		s.broken++
		s.await(ctx, doubled(brokenWait, s.broken, brokenWaitMax), "the inbox cannot be reached", s.told)
		return false
	}
	s.broken = 0
	switch s.note(out); out.Outcome {
	case OutcomeEmpty:
		s.show(ctx, StateIdle)
		return s.rest(ctx, out.Policy.Linger)
	case OutcomeMore:
		s.show(ctx, StatePending)
	case OutcomeWait:
		s.show(ctx, StatePending)
		s.await(ctx, out.Wait, out.Reason, s.told)
	case OutcomeHeld:
		s.show(ctx, StateHeld)
		s.await(ctx, out.Wait, "held: "+out.Reason, s.told)
	case OutcomeRecover:
		s.show(ctx, StateRetrying)
		s.recover(ctx, out)
	default:
		// A newer worker's word for something. Whatever it means, it may not spin.
		s.await(ctx, max(out.Wait, brokenWait), "the outcome "+out.Outcome+" is not known", s.told)
	}
	return false
}

// drain runs the inbox's queue for this subject until it has something to tell.
func (s *subject) drain(ctx workflow.Context) (DrainOutput, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: drainTimeout,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var out DrainOutput
	err := workflow.ExecuteLocalActivity(ctx, ActivityDrain, DrainInput{
		Subject: s.id, RunID: s.runID, OriginalRunID: s.original, AfterEpoch: s.epoch, Waits: s.waits,
	}).Get(ctx, &out)
	return out, err
}

// note takes over what a drain told.
func (s *subject) note(out DrainOutput) {
	s.epoch = max(s.epoch, out.Epoch)
	s.waits++
	if out.Outcome != OutcomeWait || out.Settled > 0 {
		s.waits = 0
	}
	s.status.Settled += out.Settled
	s.status.Head, s.status.Reason, s.status.By = out.Head, out.Reason, out.By
	s.status.Until = out.Until
}

// recover runs the failed event's recovery activity, until it is settled, its
// subject is held, or an operator has something else in mind.
func (s *subject) recover(ctx workflow.Context, out DrainOutput) {
	attemptCtx, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: out.Policy.RecoverTimeout,
		// An attempt in hand is never abandoned: its outcome must be known before the
		// event may start again. One that waits for its next try is cancelled at once.
		WaitForCancellation: true,
		// Only for attempts that a lost worker never ended; the others say themselves
		// when the next one is due.
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:     summary(out.Head),
	}))
	defer cancel()
	attempt := workflow.ExecuteActivity(attemptCtx, out.Head.Handler, RecoverInput{
		Subject: s.id, Sequence: out.Head.Sequence, OriginalRunID: s.original, AfterEpoch: s.epoch,
	})
	_ = workflow.Await(ctx, func() bool { return attempt.IsReady() || s.told() })
	if !attempt.IsReady() {
		cancel()
	}
	var result RecoverOutput
	// What went wrong is in the subject row, where the next drain finds it.
	if err := attempt.Get(ctx, &result); err == nil {
		s.epoch = max(s.epoch, result.Epoch)
		if result.Settled {
			s.status.Settled++
		}
	}
}

// rest tells whether the run may complete: nothing came while it lingered.
func (s *subject) rest(ctx workflow.Context, linger time.Duration) bool {
	if linger > 0 {
		s.await(ctx, linger, "lingering", s.rung)
	}
	s.finish(ctx)
	return !s.rung()
}

// continueAsNew starts a fresh history. The next run drains first of all, so a
// doorbell that is not yet heard loses nothing; verbs are carried out before.
func (s *subject) continueAsNew(ctx workflow.Context) error {
	for s.finish(ctx); s.operate.Len() > 0; s.finish(ctx) {
		s.hear(ctx)
	}
	return workflow.NewContinueAsNewError(ctx, WorkflowType, Input{State: s.shown})
}

// finish waits for updates that are being carried out.
func (s *subject) finish(ctx workflow.Context) {
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// await waits until it is time or the condition holds; without a time, only for
// the condition.
func (s *subject) await(ctx workflow.Context, d time.Duration, why string, condition func() bool) {
	if d <= 0 {
		_ = workflow.Await(ctx, condition)
		return
	}
	_, _ = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: d, TimerOptions: workflow.TimerOptions{Summary: oneLine(why)},
	}, condition)
}

// rung tells whether the run has been given a reason to look at the inbox.
func (s *subject) rung() bool { return s.doorbell.Len() > 0 || s.told() }

// told tells whether an operator has changed, or wants to change, the subject row.
func (s *subject) told() bool { return s.changed || s.operate.Len() > 0 }

// doubled returns first, doubled with each time after the first, at most limit.
func doubled(first time.Duration, times int, limit time.Duration) time.Duration {
	d := first
	for i := 1; i < times && d < limit; i++ {
		d *= 2
	}
	return min(d, limit)
}
