package row

import (
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// ClockSlack is how far the clocks of a fleet may differ. What was noted further
// ahead was noted under a wrong clock, and must not hide a subject until then.
const ClockSlack = 10 * time.Minute

// InHand begins a claim: it ends a hold whose time has come, and tells whether
// another run may be in a handler now. Then the answer is final: nothing is even
// reopened, for what the other run has in hand it may still settle, and a reset run
// does that again too, when it comes back.
func (r *Row) InHand(c inbox.Claim) (inbox.Claimed, bool) {
	now := TimeOf(c.Now)
	r.ReleaseIfOver(now)
	another := r.BusyRun != c.RunID && r.BusyUntil.After(now) && !r.BusySince.After(now.Plus(ClockSlack))
	if !another {
		return inbox.Claimed{}, false
	}
	return inbox.Claimed{Subject: r.untaken(), InHandUntil: r.BusyUntil.Time(), InHandBy: r.BusyRun}, true
}

// IsReset tells whether a claim is that of a run which a reset has made.
func IsReset(c inbox.Claim) bool { return c.OriginalRunID != "" && c.OriginalRunID != c.RunID }

// Reopens tells whether the claim may have something to reopen: it is a reset
// run's, and somebody has claimed since the run's last claim. Whoever settled since
// then claimed first, so a reset run that goes on undisturbed never searches its
// subject's history.
func (r *Row) Reopens(c inbox.Claim) bool {
	return IsReset(c) && r.Epoch > c.AfterEpoch
}

// Reopened counts n events that are pending again. The head is the sequence of the
// first pending event; 0: there was none.
func (r *Row) Reopened(n int, headBefore, headAfter int64) {
	r.Pending += n
	if n > 0 && !r.Held && headBefore != headAfter {
		r.movedOn() // the failures were those of another head
	}
}

// Take ends a claim. If a handler may start now it takes the epoch that next gives.
func (r *Row) Take(c inbox.Claim, reopened int, next func() int64) inbox.Claimed {
	now := TimeOf(c.Now)
	if r.Pending == 0 || r.Held || r.NextWake.After(now) {
		return inbox.Claimed{Subject: r.untaken(), Reopened: reopened}
	}
	r.Epoch = next()
	r.inHandOf(c.RunID, now, TimeOf(c.BusyUntil))
	return inbox.Claimed{Subject: r.Subject(), Reopened: reopened}
}

// inHandOf notes that a run has the subject in hand. Without an end it has not.
func (r *Row) inHandOf(run string, now, until Time) {
	if !until.Valid {
		r.LetGo()
		r.sweepFrom(now)
		return
	}
	r.BusyRun, r.BusySince, r.BusyUntil = run, now, until
	r.sweepFrom(until)
}

// comebackGrace is how late a run that waits may come back. It comes by itself, and
// what it waits for, a busy destination or its worker's successor, another drain would
// meet too. Only one that is this late is thought lost.
const comebackGrace = 30 * time.Second

// Release ends the owner's work. A run that waits looks again at wake; zero: at once.
func (r *Row) Release(wake time.Time) {
	r.LetGo()
	if !wake.IsZero() {
		r.sweepFrom(TimeOf(wake).Plus(comebackGrace))
	}
}

// LetGo notes that no run has the subject in hand.
func (r *Row) LetGo() { r.BusyRun, r.BusySince, r.BusyUntil = "", Time{}, Time{} }

// untaken is the subject as whoever may not start a handler gets it.
func (r *Row) untaken() inbox.Subject {
	s := r.Subject()
	s.Epoch = 0
	return s
}

// Owned tells whether the epoch is the row's. A row that is not there, nil, is nobody's.
func (r *Row) Owned(epoch int64) bool { return r != nil && epoch > 0 && r.Epoch == epoch }
