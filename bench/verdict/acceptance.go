package verdict

import (
	"slices"
	"time"
)

// Acceptance is how the front door did.
type Acceptance struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
	// Outage is the longest time without any 2xx while senders tried, and During
	// the fault that it began in or after.
	Outage float64 `json:"longest_outage_s"`
	During string  `json:"longest_outage_during"`
}

// Handling is how long after its acceptance an event was done.
type Handling struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func (r *Record) handling(all map[string]*history) Handling {
	var took []time.Duration
	for _, s := range r.Sendings {
		accepted, h := s.Accepted(), all[s.Subject]
		if accepted.IsZero() || h == nil {
			continue
		}
		if done := h.done(s.Counter); !done.IsZero() {
			took = append(took, max(0, done.Sub(accepted)))
		}
	}
	slices.Sort(took)
	return Handling{P50: Milliseconds(Quantile(took, 0.5)), P99: Milliseconds(Quantile(took, 0.99)), Max: Milliseconds(Quantile(took, 1))}
}

func (r *Record) acceptance() Acceptance {
	var took []time.Duration
	moments := []time.Time{r.Began}
	for _, s := range r.Sendings {
		for _, a := range s.Answers {
			took = append(took, a.Took)
			moments = append(moments, a.At)
		}
	}
	var a Acceptance
	slices.Sort(took)
	a.P50, a.P99, a.Max = Milliseconds(Quantile(took, 0.5)), Milliseconds(Quantile(took, 0.99)), Milliseconds(Quantile(took, 1))
	slices.SortFunc(moments, time.Time.Compare)
	// Senders tried until the load ended, also if nobody was answered any more.
	if last := moments[len(moments)-1]; last.Before(r.Ended) {
		moments = append(moments, r.Ended)
	}
	for i := 1; i < len(moments); i++ {
		if gap := moments[i].Sub(moments[i-1]).Seconds(); gap > a.Outage {
			a.Outage, a.During = gap, r.faultAt(moments[i])
		}
	}
	return a
}

// faultAt names the last fault that had begun at a time.
func (r *Record) faultAt(at time.Time) string {
	name := "no fault"
	for _, f := range r.Faults {
		if f.Begin.Before(at) {
			name = f.Name
		}
	}
	return name
}

// Quantile is that of a sorted list, such as 0.99; 0 of an empty one.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

// Milliseconds is how times are written for programs.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
