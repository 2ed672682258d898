package workflows

import (
	"errors"
	"strconv"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// operatePolicy tries a verb again while the inbox cannot be reached. The verb's
// request ID makes that harmless.
var operatePolicy = workflow.LocalActivityOptions{
	StartToCloseTimeout:    10 * time.Second,
	ScheduleToCloseTimeout: 30 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 2 * time.Second,
		NonRetryableErrorTypes: []string{ErrorRefused},
	},
}

// hear takes in every signal that has come, and carries out the verbs among them.
func (s *subject) hear(ctx workflow.Context) {
	s.changed = false
	for s.doorbell.ReceiveAsync(nil) {
	}
	for {
		var verb Operate
		if !s.operate.ReceiveAsync(&verb) {
			return
		}
		if verb.Verb == "" {
			continue // the row has changed; the drain that follows reads it
		}
		// The ID makes a verb take effect once in this run. A reset that applies its
		// signals again means that they are to be carried out again.
		s.operated++
		s.obey(ctx, verb, "signal:"+s.runID+"/"+strconv.Itoa(s.operated))
	}
}

// obey carries out a signal's verb, however long the inbox cannot be reached:
// nobody waits for the answer, so nobody would send it again.
func (s *subject) obey(ctx workflow.Context, verb Operate, requestID string) {
	for tries := 1; ; tries++ {
		_, err := s.carryOut(ctx, verb, requestID)
		var refused *temporal.ApplicationError
		switch {
		case err == nil, ctx.Err() != nil:
			return
		case errors.As(err, &refused) && refused.Type() == ErrorRefused:
			workflow.GetLogger(ctx).Warn("an operator's signal had no effect", "verb", verb.Verb, "error", err)
			return
		}
		s.await(ctx, doubled(brokenWait, tries, brokenWaitMax), "the inbox cannot be reached", func() bool { return false })
	}
}

// carryOut applies a verb to the subject row.
func (s *subject) carryOut(ctx workflow.Context, verb Operate, requestID string) (Status, error) {
	var status Status
	err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, operatePolicy), ActivityOperate,
		OperateInput{Subject: s.id, RequestID: requestID, Operate: verb}).Get(ctx, &status)
	return status, err
}

// answer lets people ask for the status and operate the subject through Temporal.
func (s *subject) answer(ctx workflow.Context) error {
	err := workflow.SetQueryHandlerWithOptions(ctx, QueryStatus, func() (Status, error) { return s.status, nil },
		workflow.QueryHandlerOptions{Description: "What this run knows of its subject."})
	if err != nil {
		return err
	}
	for _, u := range []struct{ verb, description string }{
		{UpdatePause, `Hold the subject's queue: {"reason": "…", "by": "…", "until": "2030-01-31T08:00:00Z"}; until may be left out.`},
		{UpdateResume, `End the hold, or the wait for the next try, with a full retry budget: {"reason": "…", "by": "…"}.`},
		{UpdatePark, `Set the named event aside and go on: {"sequence": 42, "reason": "…", "by": "…"}.`},
	} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, u.verb,
			func(ctx workflow.Context, verb Operate) (Status, error) {
				verb.Verb = u.verb
				status, err := s.carryOut(ctx, verb, "update:"+s.original+"/"+workflow.GetCurrentUpdateInfo(ctx).ID)
				s.changed = s.changed || err == nil
				return status, err
			},
			workflow.UpdateHandlerOptions{Description: u.description, Validator: func(verb Operate) error { return validate(u.verb, verb) }})
		if err != nil {
			return err
		}
	}
	return nil
}

// validate refuses a verb that could never make sense, before it reaches history.
func validate(name string, verb Operate) error {
	switch {
	case verb.Verb != "" && verb.Verb != name:
		return errors.New("verb " + verb.Verb + " was sent to the update " + name)
	case name == UpdatePark && verb.Sequence <= 0:
		return errors.New(`park needs the "sequence" of the event to set aside`)
	case name == UpdatePark && verb.Reason == "":
		return errors.New(`park needs a "reason"`)
	}
	return nil
}
