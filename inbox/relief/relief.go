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
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// Mode is the setting HOLDFAST_RELIEF.
type Mode string

// The modes.
const (
	Off    Mode = "off"    // every subject is drained by its workflow
	Auto   Mode = "auto"   // the lane opens to sources whose rung subjects wait too long for theirs
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

	// stay is how long the lane is open to a source since a subject of it last had to wait. While it is
	// open Temporal is asked for nothing, so whether the crowd is over shows only when
	// it closes again.
	stay = 2 * time.Second
)

// Window tells to whom the lane is open: to each source by itself, so that who has no
// crowd does not queue behind one. A process has one, which its doorbell and its worker
// share; those of a fleet agree because they see the same crowd. It is safe for
// concurrent use. Nil is the window of a lane that is off.
type Window struct {
	mode   Mode
	latest atomic.Int64 // open to somebody until, in nanoseconds since 1970

	mu    sync.Mutex
	until map[string]time.Time // by source
}

// NewWindow returns the window of a mode.
func NewWindow(mode Mode) *Window { return &Window{mode: mode, until: map[string]time.Time{}} }

// Off tells whether the lane never opens.
func (w *Window) Off() bool { return w == nil || w.mode == Off || w.mode == "" }

// Open tells whether the lane is open to anybody.
func (w *Window) Open(now time.Time) bool {
	return !w.Off() && (w.mode == Always || now.UnixNano() < w.latest.Load())
}

// OpenTo tells whether the lane is open to the source of a subject. The source's name
// will do for the subject.
func (w *Window) OpenTo(subject string, now time.Time) bool {
	switch {
	case !w.Open(now):
		return false
	case w.mode == Always:
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return now.Before(w.until[inbox.SourceOf(subject)])
}

// Waited notes that a subject was rung at a time and still waits for its workflow.
func (w *Window) Waited(subject string, rung, now time.Time) {
	if w.Off() || now.Sub(rung) < Patience {
		return
	}
	until := now.Add(stay)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until[inbox.SourceOf(subject)] = until
	w.latest.Store(until.UnixNano())
}

// Before returns the time at or before which a subject must have been rung to be
// taken by the lane.
func (w *Window) Before(now time.Time) time.Time {
	if w.Open(now) {
		return now
	}
	return now.Add(-Patience)
}
