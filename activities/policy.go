package activities

import (
	"math/rand/v2"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// verdict is what follows a failed attempt.
type verdict struct {
	wait  time.Duration // before the next attempt, or of the hold
	hold  bool
	spent time.Duration // budget that the attempt and the wait after it use up
}

// judge applies the failure policy to an attempt of the subject's first event
// that took a time and failed. jitter is from 0 to 1.
//
// The budget counts real attempts and the waits planned between them, not the
// hours in which no worker ran. A wait that Retry-After stretched counts too, so
// after it there is one more attempt.
func (c Config) judge(s inbox.Subject, err error, took time.Duration, jitter float64) verdict {
	critical := Classify(err) == CriticalFail
	exhausted := s.Spent+took >= c.RetryBudget
	if critical || exhausted || s.Holds > 0 {
		wait := max(doubled(c.PauseInitial, s.Holds, c.PauseMax), floorOf(err))
		return verdict{wait: wait, hold: true, spent: took}
	}
	wait := doubled(c.RetryInitial, s.Streak, c.RetryMaxInterval)
	// From half to the whole: subjects that failed together do not return together.
	wait = max(wait/2+time.Duration(jitter*float64(wait/2)), floorOf(err))
	return verdict{wait: wait, spent: took + wait}
}

// doubled returns first doubled times times, at most limit.
func doubled(first time.Duration, times int, limit time.Duration) time.Duration {
	d := first
	for range times {
		if d >= limit/2 {
			return limit
		}
		d *= 2
	}
	return min(d, limit)
}

// jittered returns a wait from half of d to d.
func jittered(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
