package inbox

import (
	"context"
	"errors"
	"fmt"
)

// Errors that a store returns. Any other error means that the store could not
// be reached or did not answer in time: nothing is known to have happened, and
// the caller tries again.
var (
	// ErrFenced means that another claim has taken the subject since. The holder
	// of the old epoch must stop; what it wanted to settle is not settled.
	ErrFenced = errors.New("fenced: another drain has taken the subject")

	// ErrNotPending means that the event has been settled already, by an operator
	// or before a crash. The holder of the epoch goes on with the next.
	ErrNotPending = errors.New("the event is not pending")

	// ErrResumed means that an operator has resumed the subject since the failure
	// was judged: judge it again by the row that comes with it.
	ErrResumed = errors.New("the subject was resumed meanwhile")

	// ErrNotFound means that there is no such event or subject.
	ErrNotFound = errors.New("not found")

	// ErrOverloaded means that the store's queue is full. The sender should come again.
	ErrOverloaded = errors.New("inbox overloaded")
)

// RefusedError is an operator's verb that makes no sense in the subject's state.
// Its message is for the operator.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string { return e.Message }

// Refused makes a RefusedError.
func Refused(format string, args ...any) error {
	return &RefusedError{Message: fmt.Sprintf(format, args...)}
}

// Inbox is a store. All methods are safe for concurrent use.
type Inbox interface {
	Accepter
	Drainer
	Operator
	Keeper

	// Ping tells whether the store can write now.
	Ping(ctx context.Context) error
	// Close waits for what is being written and releases the store.
	Close() error
}

// Accepter is the ingress's side of an Inbox.
type Accepter interface {
	// Append makes every event of a delivery durable, or none, and returns a
	// receipt for each. It returns nil only after the commit is on disk. Events of
	// different deliveries may share a commit; each delivery succeeds or fails alone.
	Append(ctx context.Context, d Delivery) ([]Receipt, error)
}
