package row

import (
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
)

// CheckSettlement refuses an outcome that no attempt can have.
func CheckSettlement(s inbox.Settlement) error {
	switch s.Status {
	case inbox.StatusDelivered, inbox.StatusParked, inbox.StatusFailed:
		return nil
	default:
		return fmt.Errorf("settle event %d: %q is no outcome of an attempt", s.Sequence, s.Status)
	}
}

// Settle notes that the owner has settled a pending event.
func (r *Row) Settle(last bool) {
	r.Pending--
	r.movedOn()
	if last || r.Pending == 0 {
		r.LetGo()
	}
}

// Fail notes that the owner's attempt at a pending event has failed, and what
// follows; or it returns inbox.ErrResumed.
func (r *Row) Fail(f inbox.Failure) error {
	if f.Streak != r.Streak || f.Holds != r.Holds {
		return inbox.ErrResumed
	}
	now := TimeOf(f.Now)
	r.Streak++
	r.Spent += int64(f.Spent)
	r.LastError, r.FailedAt, r.NextWake = f.Error, now, TimeOf(f.NextWake)
	if f.Hold != nil {
		// Under an operator's hold the policy's counts and its time stand all the
		// same: what comes after the operator's resume or the hold's end is a probe.
		r.Holds++
		r.NextWake = TimeOf(f.Hold.Until)
		if !r.heldByOperator() {
			r.hold(now, r.NextWake, inbox.HeldByPolicy, f.Hold.Reason)
		}
	}
	r.LetGo()
	r.sweepFrom(now)
	return nil
}
