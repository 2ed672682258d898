// Package relief is what an ingress and a worker agree on about the relief lane: a
// worker drains subjects itself, without their workflows, when those take too long
// to start.
//
// A workflow for each subject costs Temporal a start, a task and a completion,
// however short the work is: thousands of subjects with one event each are more
// than it can begin. In the lane the same drain runs under the same lock, the
// subject's row; whatever fails there goes to the subject's workflow.
package relief

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Mode is the setting HOLDFAST_RELIEF.
type Mode string

// The modes.
const (
	Off    Mode = "off"    // every subject is drained by its workflow
	Auto   Mode = "auto"   // the lane opens while rung subjects wait too long for theirs
	Always Mode = "always" // workflows get what failed, and what the lane does not take in time
)

// Validate refuses what is no mode.
func (m Mode) Validate() error {
	switch m {
	case Off, Auto, Always:
		return nil
	default:
		return fmt.Errorf("%q is none of %s, %s and %s", string(m), Off, Auto, Always)
	}
}

const (
	// Patience is how long a rung subject may wait for its workflow before the lane
	// opens: several times what a Temporal takes that has the time.
	Patience = 100 * time.Millisecond

	// stay is how long the lane is open since a subject last had to wait. While it is
	// open Temporal is asked for nothing, so whether the crowd is over shows only when
	// it closes again.
	stay = 2 * time.Second
)

// Window tells whether the lane is open. A process has one, which its doorbell and
// its worker share; those of a fleet agree because they see the same crowd. It is
// safe for concurrent use. Nil is the window of a lane that is off.
type Window struct {
	mode  Mode
	until atomic.Int64 // open, in nanoseconds since 1970
}

// NewWindow returns the window of a mode.
func NewWindow(mode Mode) *Window { return &Window{mode: mode} }

// Off tells whether the lane never opens.
func (w *Window) Off() bool { return w == nil || w.mode == Off || w.mode == "" }

// Open tells whether the lane is open.
func (w *Window) Open(now time.Time) bool {
	return !w.Off() && (w.mode == Always || now.UnixNano() < w.until.Load())
}

// Waited notes that a subject was rung at a time and still waits for its workflow.
func (w *Window) Waited(rung, now time.Time) {
	if !w.Off() && now.Sub(rung) >= Patience {
		w.until.Store(now.Add(stay).UnixNano())
	}
}

// Before returns the time at or before which a subject must have been rung to be
// taken by the lane.
func (w *Window) Before(now time.Time) time.Time {
	if w.Open(now) {
		return now
	}
	return now.Add(-Patience)
}
