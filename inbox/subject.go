package inbox

import (
	"strings"
	"time"
)

// State is what a subject is doing, derived from its row.
type State string

// The states of a subject, the strongest first: a held subject may be retrying
// and have pending events too.
const (
	StateHeld     State = "held"     // its queue stands still until a time or an operator
	StateRetrying State = "retrying" // its first pending event failed and will be tried again
	StatePending  State = "pending"  // it has events to handle
	StateIdle     State = "idle"
)

// HeldByPolicy is Subject.HeldBy when the failure policy holds a subject, not an operator.
const HeldByPolicy = "holdfast"

// Subject is the inbox's one row per subject.
type Subject struct {
	ID      string
	Name    string // ID before it was hashed or shortened
	Source  string
	Pending int   // events with StatusPending
	Epoch   int64 // who may settle: the last claim

	Held       bool
	HeldUntil  time.Time // zero: until an operator acts
	HeldBy     string    // HeldByPolicy or an operator's name
	HeldReason string

	// Streak is how many real attempts of the first pending event failed since its
	// subject last moved on or an operator resumed it; Spent is the budget that
	// they used up; Holds is how many holds in a row the policy has made.
	Streak int
	Spent  time.Duration
	Holds  int

	NextWake  time.Time // no attempt before; zero: at once
	LastError string
	FailedAt  time.Time // when LastError happened; zero: no error since the subject moved on
}

// State derives the subject's state from its row.
func (s Subject) State() State {
	switch {
	case s.Held:
		return StateHeld
	case s.Streak > 0 && s.Pending > 0:
		return StateRetrying
	case s.Pending > 0:
		return StatePending
	default:
		return StateIdle
	}
}

// SourceOf returns the source that a subject's ID begins with.
func SourceOf(subject string) string {
	source, _, _ := strings.Cut(subject, "/")
	return source
}
