package verdict

import (
	"slices"
	"time"
)

// outageWithin is the longest time without a 2xx between two moments, in seconds.
func (r *Record) outageWithin(from, to time.Time) float64 {
	moments := []time.Time{from, to}
	for _, s := range r.Sendings {
		for _, a := range s.Answers {
			if a.At.After(from) && a.At.Before(to) {
				moments = append(moments, a.At)
			}
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	longest := 0.0
	for i := 1; i < len(moments); i++ {
		longest = max(longest, moments[i].Sub(moments[i-1]).Seconds())
	}
	return longest
}

// after is how many seconds after the healing something was; -1: it never was.
func after(healed, at time.Time) float64 {
	if at.IsZero() {
		return -1
	}
	return max(0, at.Sub(healed).Seconds())
}
