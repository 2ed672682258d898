package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-project/holdfast/activities"
)

// A handler is a name and a function. This one is the README's: list it in
// cmd/holdfast/handlers.go, and HOLDFAST_ROUTES='redo/*=go:refund' uses it.
func ExampleHandler() {
	refund := activities.Handler{Name: "refund", Handle: func(_ context.Context, e activities.Event) error {
		var body struct{ Return struct{ ID, Status string } }
		if err := json.Unmarshal(e.Body, &body); err != nil {
			return activities.Park(errors.New("not a return"))
		}
		fmt.Println("refund", body.Return.ID, body.Return.Status, "once per", e.ID)
		return nil
	}}

	fmt.Println(refund.Handle(context.Background(), activities.Event{
		ID: "0198c0de-1", Body: []byte(`{"return":{"id":"r1","status":"delivered"}}`),
	}))
	// Output:
	// refund r1 delivered once per 0198c0de-1
	// <nil>
}

// A failure of this event alone: it is set aside with its reason, the queue goes
// on, and `holdfast events replay` brings it back once the cause is mended.
func ExamplePark() {
	err := activities.Park(errors.New("the order was deleted"))
	fmt.Println(activities.Classify(err), "-", err)
	// Output: parked - the order was deleted
}

// A failure after which nothing of the subject may go on: it is held, first for
// HOLDFAST_PAUSE_INITIAL, or until an operator resumes it. Wrapping keeps the mark.
func ExampleCritical() {
	err := fmt.Errorf("refund: %w", activities.Critical(errors.New("the API key was revoked")))
	fmt.Println(activities.Classify(err), "-", err)
	// Output: critical - refund: the API key was revoked
}

// A failure that says when trying again can help. Without a mark, an error is
// tried again too, after a wait that doubles from HOLDFAST_RETRY_INITIAL.
func ExampleRetryAfter() {
	err := activities.RetryAfter(2*time.Minute, errors.New("too many requests"))
	fmt.Println(activities.Classify(err), "-", err)
	// Output: retryable - too many requests
}
