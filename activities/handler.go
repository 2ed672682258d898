package activities

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// Handler is the work done for an event.
type Handler struct {
	// Name is the handler's own, without spaces. It is the recovery activity's type
	// in Temporal, so it is permanent.
	Name string

	// Handle does the work. Its context ends when the attempt's time is up. It must
	// be safe for concurrent use: different subjects run at the same time.
	Handle func(ctx context.Context, e Event) error

	// destination is what the concurrency cap and the breaker are kept for: a host,
	// or if empty the handler's name.
	destination string
}

// Event is an event as its handler sees it.
type Event struct {
	// ID is the idempotency key: the same each time this event is handled.
	ID          string
	Sequence    int64 // grows with each later event of the subject
	Subject     string
	Source      string
	Provider    string
	Type        string
	At          time.Time // when it happened; zero: the sender does not say
	ReceivedAt  time.Time
	Attempt     int // from 1
	Index       int // which of its request's events, from 0
	Related     []string
	Redo        int   // how often a reset made it pending again
	ReplayOf    int64 // the sequence it is a replay of; 0: it is not one
	ContentType string
	Body        []byte // of the request, byte for byte; do not change it
}

func newEvent(e inbox.Entry) Event {
	return Event{
		ID: e.EventID, Sequence: e.Sequence, Subject: e.Subject, Source: e.Source,
		Provider: e.Provider, Type: e.Type, At: e.At, ReceivedAt: e.ReceivedAt,
		Attempt: e.Attempts + 1, Index: e.Index, Related: e.Related, Redo: e.Redo,
		ReplayOf: e.ReplayOf, ContentType: e.Payload.ContentType, Body: e.Payload.Body,
	}
}

// key is what the cap and the breaker are kept for.
func (h Handler) key() string {
	if h.destination != "" {
		return h.destination
	}
	return h.Name
}

// run is Handle with a time limit, and with a panic as an error.
func (h Handler) run(ctx context.Context, e Event, limit time.Duration) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	if err := h.Handle(ctx, e); err != nil {
		if ctx.Err() != nil && Classify(err) == Retryable {
			return &timeoutError{handler: h.Name, limit: limit, cause: err}
		}
		return err
	}
	return nil
}

// panicError is a handler's panic. It is tried again like any plain error.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("the handler panicked: %v", e.value) }

// timeoutError is an attempt that ran out of time.
type timeoutError struct {
	handler string
	limit   time.Duration
	cause   error
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("%s: no answer within %s", e.handler, e.limit)
}
func (e *timeoutError) Unwrap() error     { return e.cause }
func (e *timeoutError) Unreachable() bool { return true }
