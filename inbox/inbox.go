package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"
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

// Drainer is the worker's side of an Inbox.
type Drainer interface {
	// Claim takes a new epoch for a subject, which fences everybody who had one,
	// and returns the row as it is then. It ends a hold whose time has come. For a
	// reset run it first reopens what the run is to do again. A subject the inbox
	// does not know is returned empty, with Pending 0.
	Claim(ctx context.Context, c Claim) (Claimed, error)

	// Own returns nil if the epoch is still the subject's, else ErrFenced.
	Own(ctx context.Context, subject string, epoch int64) error

	// Next returns a subject's first pending events in sequence order: at most
	// limit, and no further one once their bodies exceed maxBytes. An empty answer
	// means that nothing was pending when the call began.
	Next(ctx context.Context, subject string, limit, maxBytes int) ([]Entry, error)

	// Settle gives an event its outcome durably, clears the subject's streak, and
	// returns what is then true of the subject. ErrFenced, ErrNotPending.
	Settle(ctx context.Context, s Settlement) (Settled, error)

	// Fail records a real attempt that failed and what follows: another attempt at
	// NextWake, or a hold. An operator's hold is never replaced. ErrFenced, ErrNotPending.
	Fail(ctx context.Context, f Failure) (Subject, error)
}

// Claim asks for a subject's epoch.
type Claim struct {
	Subject string
	Now     time.Time
	// BusyUntil is when the claim's work will be over at the latest: the sweeper
	// leaves the subject alone until then.
	BusyUntil time.Time

	// RunID and OriginalRunID are the Temporal run's; they differ in a run made by
	// a reset. Such a claim reopens every event that another run of the same
	// original settled under an epoch greater than AfterEpoch, the last epoch in
	// its own history.
	RunID         string
	OriginalRunID string
	AfterEpoch    int64
}

// Claimed is the answer to a Claim.
type Claimed struct {
	Subject  Subject // Epoch is the new one
	Reopened int     // events made pending again
}

// Settlement is an event's outcome.
type Settlement struct {
	Subject  string
	Epoch    int64
	Sequence int64
	Status   Status // StatusDelivered, StatusParked or StatusFailed
	Reason   string
	Handler  string
	Attempts int // real attempts to add to the event's
	Now      time.Time

	RunID         string
	OriginalRunID string
}

// Settled is what is true of a subject after a settlement.
type Settled struct {
	Pending int  // 0 means that the next append will ring
	Held    bool // an operator paused it meanwhile: start no other event
}

// Failure is an attempt that failed.
type Failure struct {
	Subject  string
	Epoch    int64
	Sequence int64
	Handler  string
	Error    string
	Spent    time.Duration // budget this attempt used up
	Now      time.Time

	// NextWake is when the next attempt may start. With Hold it is ignored.
	NextWake time.Time
	// Hold, when not nil, holds the subject by policy.
	Hold *Hold
}

// Hold is a policy's hold.
type Hold struct {
	Until  time.Time
	Reason string
}

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
	Limit   int       // 0: the store's default of 100
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

// Keeper is the side of an Inbox that keeps it in order.
type Keeper interface {
	// Lead tells whether this process does the fleet's sweeping now.
	Lead(ctx context.Context) (bool, error)

	// Unrung returns subjects that have pending events, may be tried at now, and
	// have been neither rung nor claimed since before; the longest waiting first.
	// It notes that they were rung at now.
	Unrung(ctx context.Context, now, before time.Time, limit int) ([]string, error)

	// Prune deletes at most limit events settled before a time, with their keys,
	// payloads and empty subjects, and returns how many. It holds no long lock.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)

	// Count returns how many subjects are in each state but idle, and how many
	// events are pending: cheap enough to be asked every few seconds.
	Count(ctx context.Context) (Counts, error)
}

// Counts are totals over the whole inbox.
type Counts struct {
	Pending  int // events
	Subjects map[State]int
}
