package activities

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-project/holdfast/workflows"
)

// Class is what a handler's error means for the queue.
type Class string

// The classes of errors.
const (
	Retryable    Class = "retryable" // try again with backoff: the default
	CriticalFail Class = "critical"  // hold the subject
	Parked       Class = "parked"    // set the event aside and go on
)

type classified struct {
	class Class
	after time.Duration
	err   error
}

func (e *classified) Error() string { return e.err.Error() }
func (e *classified) Unwrap() error { return e.err }

// Critical marks an error after which no event of the subject may be handled
// until a time has passed or an operator has acted.
func Critical(err error) error { return &classified{class: CriticalFail, err: err} }

// Park marks an error of this event alone: it is set aside with the error as its
// reason, and the queue goes on.
func Park(err error) error { return &classified{class: Parked, err: err} }

// RetryAfter marks an error after which the next attempt must wait at least d,
// also when that exceeds the retry budget.
func RetryAfter(d time.Duration, err error) error {
	return &classified{class: Retryable, after: d, err: err}
}

// criticalAfter is Critical with a floor to the hold.
func criticalAfter(d time.Duration, err error) error {
	return &classified{class: CriticalFail, after: d, err: err}
}

// Classify returns an error's class. The outermost mark wins.
func Classify(err error) Class {
	var c *classified
	if errors.As(err, &c) {
		return c.class
	}
	return Retryable
}

// floorOf returns how long an error asks to wait at least.
func floorOf(err error) time.Duration {
	var c *classified
	if errors.As(err, &c) {
		return c.after
	}
	return 0
}

// unreachable tells whether an error says that the destination did not answer,
// rather than that it answered no. Only that opens its breaker.
func unreachable(err error) bool {
	var u interface{ Unreachable() bool }
	return errors.As(err, &u) && u.Unreachable()
}

// maxErrorText bounds what of an error's text is stored and shown, in bytes.
const maxErrorText = 500

// textOf makes an error's text one short line of valid UTF-8.
func textOf(err error) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "?")), " ")
	if len(text) <= maxErrorText {
		return text
	}
	cut := maxErrorText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// tryAgain makes the Temporal error after which the server runs the activity
// again when wait is over.
func tryAgain(text string, wait time.Duration) error {
	return temporal.NewApplicationErrorWithOptions(text, workflows.ErrorRetryable,
		temporal.ApplicationErrorOptions{NextRetryDelay: max(wait, time.Millisecond)})
}

// giveUp makes the Temporal error that ends a recovery activity: the subject is
// held, and the workflow looks at its row.
func giveUp(text string) error {
	return temporal.NewNonRetryableApplicationError(text, workflows.ErrorCritical, nil)
}
