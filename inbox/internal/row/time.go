package row

import "time"

// Time is a time as stores keep it: microseconds since 1970, or none.
type Time struct {
	Micros int64
	Valid  bool
}

// TimeOf is t to the microsecond; the zero time is none.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{Micros: t.UnixMicro(), Valid: true}
}

// atOnce is a sweep time that is always over: an operator has asked for this
// subject, so it comes before all others.
var atOnce = Time{Valid: true}

// After tells whether t is later than other. None is never later.
func (t Time) After(other Time) bool { return t.Valid && t.Micros > other.Micros }

// Over tells whether t has come by now. None never comes.
func (t Time) Over(now Time) bool { return t.Valid && !t.After(now) }

// Plus is so much later; none stays none.
func (t Time) Plus(d time.Duration) Time {
	t.Micros += d.Microseconds()
	return t
}

// Time is t as everybody else has it: in UTC, none is the zero time.
func (t Time) Time() time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return time.UnixMicro(t.Micros).UTC()
}
