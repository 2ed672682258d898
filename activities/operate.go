package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

// Operate carries out an operator's verb that came through Temporal. A verb that
// makes no sense now is an error of type ErrorRefused with a message for the
// operator.
func (a *Activities) Operate(ctx context.Context, in workflows.OperateInput) (workflows.Status, error) {
	by := in.By
	if by == "" {
		by = "Temporal"
	}
	view, err := a.store.Operate(ctx, inbox.Verb{
		RequestID: in.RequestID, Verb: in.Verb, Subject: in.Subject, Sequence: in.Sequence,
		Reason: in.Reason, By: by, Until: in.Until, Now: a.now(),
	})
	var refused *inbox.RefusedError
	if errors.As(err, &refused) || errors.Is(err, inbox.ErrNotFound) {
		return workflows.Status{}, temporal.NewNonRetryableApplicationError(err.Error(), workflows.ErrorRefused, nil)
	}
	if err != nil {
		return workflows.Status{}, err
	}
	status := workflows.Status{Subject: view.ID, State: string(view.State()), Reason: view.HeldReason, By: view.HeldBy, Until: view.HeldUntil}
	if h := view.Head; h != nil {
		status.Head = &workflows.Head{
			Sequence: h.Sequence, Type: h.Type, Handler: h.Handler, Attempts: h.Attempts,
			Error: view.LastError, FailedAt: view.FailedAt,
		}
	}
	return status, nil
}
