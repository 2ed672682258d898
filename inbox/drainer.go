package inbox

import (
	"context"
	"time"
)

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
