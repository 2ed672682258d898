package inbox

import (
	"context"
	"time"
)

// Operator is the side of an Inbox that people use.
type Operator interface {
	Event(ctx context.Context, sequence int64) (Event, error)
	Payload(ctx context.Context, sequence int64) (Payload, error)
	// Events returns the events that match, in sequence order.
	Events(ctx context.Context, f EventFilter) ([]Event, error)
	// Subject finds a subject by its ID, or else by its Name. Head is its first
	// pending event, nil if there is none.
	Subject(ctx context.Context, id string) (SubjectView, error)
	// Subjects returns the subjects that match, in the order of their IDs.
	Subjects(ctx context.Context, f SubjectFilter) ([]SubjectView, error)

	// Operate carries out a verb, in the audit table too, and returns the subject
	// as it is then. A second call with the same RequestID changes nothing.
	// ErrNotFound, RefusedError.
	Operate(ctx context.Context, v Verb) (SubjectView, error)
	// Audit returns what operators did to a subject, the newest first.
	Audit(ctx context.Context, subject string, limit int) ([]AuditEntry, error)

	// Replay appends copies of settled events with new sequences, in the order of
	// the originals. ErrNotFound for a sequence that does not exist, RefusedError
	// for one that cannot be replayed.
	Replay(ctx context.Context, r Replay) (Replayed, error)
}

// EventFilter selects events. Zero fields select everything.
type EventFilter struct {
	Subject string // ID or Name
	Source  string
	Status  Status
	Type    string
	From    time.Time // received at or after
	To      time.Time // received before
	After   int64     // sequence greater than
	Before  int64     // sequence less than; 0: no bound
	Limit   int       // 0: the store's default of 100
	// Newest selects the last Limit of those that match, instead of the first. They
	// come in sequence order all the same. A Replay pays no attention to it.
	Newest bool
}

// SubjectFilter selects subjects. Zero fields select everything that is not idle.
type SubjectFilter struct {
	State State  // StatePending, StateRetrying or StateHeld
	After string // ID greater than
	Limit int    // 0: the store's default of 100
}

// SubjectView is a subject and its first pending event.
type SubjectView struct {
	Subject
	Head *Event
}

// The operator's verbs.
const (
	VerbPause  = "pause"
	VerbResume = "resume"
	VerbPark   = "park"
)

// Verb is something an operator does to a subject.
type Verb struct {
	// RequestID makes it idempotent. Empty: it is not.
	RequestID string
	Verb      string
	Subject   string
	Sequence  int64     // of the event to park
	Reason    string    // park needs one
	By        string    // who
	Until     time.Time // of a pause; zero: until resumed
	Now       time.Time
}

// AuditEntry is a verb that was carried out, or a replay.
type AuditEntry struct {
	At       time.Time
	Verb     string // or "replay"
	Subject  string
	Sequence int64
	Reason   string
	By       string
	Until    time.Time
}

// Replay asks for copies of events: the named sequences, or those that match.
type Replay struct {
	Sequences []int64
	Filter    EventFilter // its Limit bounds the copies of one call; 0: 1,000
	DryRun    bool
	By        string
	Reason    string
	Now       time.Time
}

// Replayed says what a Replay did or, in a dry run, would do.
type Replayed struct {
	Events  []Event  // the copies; in a dry run the originals
	Skipped int      // matched, but pending or of no known subject
	Ring    []string // subjects to ring
	More    int64    // filter's After for the next call; 0: all were seen
}
