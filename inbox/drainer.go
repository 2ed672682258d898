package inbox

import (
	"context"
	"time"
)

// Drainer is the worker's side of an Inbox.
type Drainer interface {
	// Claim asks for the right to run a subject's handlers. It ends a hold whose time
	// has come, and for a reset run reopens what the run is to do again. Then, if a
	// handler may start now, it takes a new epoch, which fences everybody who had one.
	// Nothing is taken, and Claimed.Subject.Epoch is 0, when the subject is unknown,
	// has nothing pending, is held, or is not to be tried before a NextWake later than
	// Now, or when another run has it in hand (Claimed.InHandUntil): then nothing is
	// reopened either.
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

	// Release ends a claim's work that neither Settle nor Fail has ended, so that
	// another run need not wait for its BusyUntil. It does nothing without the epoch.
	// A wake that is not zero is when the run will look again by itself: until 30
	// seconds after it, neither Unrung nor Rung returns the subject.
	Release(ctx context.Context, subject string, epoch int64, wake time.Time) error

	// Fail records a real attempt that failed and what follows: another attempt at
	// NextWake, or a hold. An operator's hold is never replaced. ErrFenced,
	// ErrNotPending, and ErrResumed with the row as it is.
	Fail(ctx context.Context, f Failure) (Subject, error)

	// Rung returns subjects that wait for their run, the longest waiting first: they
	// were rung at or before a time, by an append or the sweeper, and nobody has claimed
	// them since. They have pending events whose first has not failed, are not held, may
	// be tried at now, and are in nobody's hand. Nothing is taken: the caller claims.
	//
	// Where several processes share the store it notes that they were rung at now, so
	// that whoever asks next with a before that is earlier gets others.
	Rung(ctx context.Context, now, before time.Time, limit int) ([]string, error)

	// StillRung returns those of the subjects that Rung would return, in the order in
	// which they are given. It notes nothing.
	StillRung(ctx context.Context, subjects []string, now, before time.Time) ([]string, error)

	// Held returns those of the subjects that are held and have pending events, in the
	// order in which they are given. A hold whose time has come counts until somebody
	// ends it.
	Held(ctx context.Context, subjects []string) ([]string, error)
}

// Claim asks for a subject's epoch.
type Claim struct {
	Subject string
	Now     time.Time
	// BusyUntil is when the claim's work will be over at the latest. Until then, or
	// until it ends by Fail, Settle or Release, no other run gets the subject, so that a
	// run that was reset or terminated with a handler in hand is never overlapped.
	// The same run does: its worker was lost. The sweeper leaves the subject alone.
	BusyUntil time.Time

	// RunID and OriginalRunID are the Temporal run's; they differ in a run made by
	// a reset. Such a claim reopens every event that another run of the same
	// original settled under an epoch greater than AfterEpoch, the last epoch in
	// its own history. One without an original is no reset's.
	RunID         string
	OriginalRunID string
	AfterEpoch    int64
}

// Claimed is the answer to a Claim.
type Claimed struct {
	Subject  Subject // Epoch is the new one; 0: nothing was taken
	Reopened int     // events made pending again
	// InHandUntil, when not zero, is how long another run may have an event in hand,
	// and InHandBy is that run.
	InHandUntil time.Time
	InHandBy    string
	// First, when not nil, is the first pending event as a Next after the claim would
	// return it: a store that can give it for less than that costs does. Nil says nothing.
	First *Entry
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
	// Last tells that the claim's work ends with this. It also does when nothing is
	// left pending.
	Last bool
	Now  time.Time

	RunID         string
	OriginalRunID string
}

// Settled is what is true of a subject after a settlement.
type Settled struct {
	Pending int   // 0 means that the next append will ring
	Next    int64 // sequence of the first pending event; 0: none
	Held    bool  // an operator paused it meanwhile: start no other event
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

	// Streak and Holds are the subject's as the failure was judged by. If the row's
	// differ, nothing is recorded: ErrResumed.
	Streak, Holds int

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
