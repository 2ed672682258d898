package bench

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
)

// Report is the outcome of a run. Its fields are only added to.
type Report struct {
	Passed bool `json:"passed"`
	// Problems say why it did not pass, and Notes what else there is to know.
	Problems []string `json:"problems"`
	Notes    []string `json:"notes"`

	Workload WorkloadReport `json:"workload"`

	Sent      int   `json:"sent"` // different events, without repetitions
	Accepted  Speed `json:"accepted"`
	Delivered Speed `json:"delivered"`

	// Lost were accepted and not delivered. OutOfOrder began before the event before
	// it was done, or had a sequence that was not greater than that one's. Wrong were
	// delivered with another body, key, sequence or subject than the sender's, or
	// accepted twice. Each is counted by events.
	Lost       int `json:"lost"`
	OutOfOrder int `json:"out_of_order"`
	Wrong      int `json:"wrong"`
	// Findings are the first of those, with Holdfast's own name of the subject.
	Findings []verdict.Finding `json:"findings"`

	// Duplicates were sent on purpose; Recognised are the answers that said so.
	Duplicates int `json:"duplicates_sent"`
	Recognised int `json:"duplicates_recognised"`
	// Repeated are deliveries of what had been delivered.
	Repeated int `json:"repeated"`
	// Refused and Unanswered are the requests that senders had to make again.
	Refused    int `json:"requests_refused"`
	Unanswered int `json:"requests_unanswered"`
	// Foreign are deliveries of what no bench sent, which were refused.
	Foreign int `json:"foreign_deliveries"`

	Interrupted bool `json:"interrupted"`
	// CPUSeconds is what the bench itself has used, perhaps of the same machine.
	CPUSeconds float64 `json:"bench_cpu_s"`
}

// WorkloadReport says what was asked for.
type WorkloadReport struct {
	Name        string  `json:"name"`
	Provider    string  `json:"provider"`
	Events      int     `json:"events"`     // 0: as many as DurationS allowed
	DurationS   float64 `json:"duration_s"` // 0: until all events were sent
	Subjects    int     `json:"subjects"`   // 0: one for each event
	Connections int     `json:"connections"`
	PerSecond   float64 `json:"per_s"` // 0: as fast as they were accepted
	Size        int     `json:"size_bytes"`
	Duplicates  float64 `json:"duplicate_share"`
	DelayMS     float64 `json:"delay_ms"`
}

// Speed is how many events got somewhere, from the first request on, and how long each
// took from its own first request: to its 2xx, or to its first delivery.
type Speed struct {
	Events    int     `json:"events"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_s"`
	P50       float64 `json:"p50_ms"`
	P90       float64 `json:"p90_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
}

// speed is made of when the last event got there, and how long each took.
func speed(began, last time.Time, took []time.Duration) Speed {
	slices.Sort(took)
	at := func(q float64) float64 { return verdict.Milliseconds(verdict.Quantile(took, q)) }
	s := Speed{Events: len(took), P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1)}
	if d := last.Sub(began).Seconds(); d > 0 && len(took) > 0 {
		s.Seconds, s.PerSecond = d, float64(len(took))/d
	}
	return s
}

// mostFindings keeps a report short when all is lost.
const mostFindings = 20

// report judges what is in the ledger.
func (b *Bench) report(began time.Time, failure error, interrupted bool) Report {
	l, o := b.ledger, b.options
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Report{
		Problems: []string{}, Notes: []string{}, Findings: []verdict.Finding{}, Interrupted: interrupted,
		Sent: l.progress.Sent, Foreign: l.foreign,
		Workload: WorkloadReport{
			Name: o.Name, Provider: o.Provider, Events: o.Events, DurationS: o.Duration.Seconds(), Subjects: o.Subjects,
			Connections: o.Connections, PerSecond: o.Rate, Size: o.Size, Duplicates: o.Duplicates, DelayMS: verdict.Milliseconds(o.Delay),
		},
	}
	if o.Events > 0 {
		r.Workload.DurationS = 0
	}
	var t times
	for _, s := range l.subjects {
		r.judge(s)
		t.add(s)
	}
	r.Accepted, r.Delivered = speed(began, t.lastAccepted, t.toAccept), speed(began, t.lastDelivered, t.toDeliver)
	slices.SortStableFunc(r.Findings, func(a, b verdict.Finding) int { return cmp.Compare(a.What, b.What) })
	r.Findings = r.Findings[:min(len(r.Findings), mostFindings)]
	r.conclude(failure)
	r.remark(t.lastBegun.Sub(began), l.leftover)
	return r
}

// judge adds one subject's events. What is judged is within a subject, so that the
// memory this takes is one subject's.
func (r *Report) judge(s *subject) {
	f := verdict.Judge(verdict.Record{Sendings: s.sendings, Deliveries: finished(s.deliveries)})
	wrong := append(f.Wrong, s.otherwise...)
	if s.id != "" && s.told != "" && s.id != s.told {
		wrong = append(wrong, verdict.Finding{ID: s.sendings[0].ID, What: "delivered as an event of " + s.told})
	}
	r.Lost += len(f.Lost)
	r.OutOfOrder += len(f.OutOfOrder)
	r.Wrong += len(wrong)
	r.Duplicates += f.Duplicates
	r.Recognised += f.Recognised
	r.Repeated += len(f.Repeated.Unexplained)
	r.Refused += f.Refused
	r.Unanswered += f.Unanswered
	for _, list := range [][]verdict.Finding{f.Lost, f.OutOfOrder, wrong} {
		for _, found := range list {
			found.Subject = cmp.Or(s.id, found.Subject)
			r.Findings = append(r.Findings, found)
		}
	}
}

// finished are the deliveries that were answered.
func finished(deliveries []verdict.Delivery) []verdict.Delivery {
	return slices.DeleteFunc(slices.Clone(deliveries), func(d verdict.Delivery) bool { return d.Ended.IsZero() })
}

// times are what speeds are made of.
type times struct {
	toAccept, toDeliver                    []time.Duration
	lastBegun, lastAccepted, lastDelivered time.Time
}

func (t *times) add(s *subject) {
	for _, e := range s.sendings {
		t.lastBegun = later(t.lastBegun, e.First)
		if at := e.Accepted(); !at.IsZero() {
			t.toAccept = append(t.toAccept, at.Sub(e.First))
			t.lastAccepted = later(t.lastAccepted, at)
		}
	}
	seen := make([]bool, len(s.sendings))
	for _, d := range s.deliveries {
		if d.Ended.IsZero() || seen[d.Counter] {
			continue
		}
		seen[d.Counter] = true
		t.toDeliver = append(t.toDeliver, d.Begun.Sub(s.sendings[d.Counter].First))
		t.lastDelivered = later(t.lastDelivered, d.Begun)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// conclude lists the problems.
func (r *Report) conclude(failure error) {
	problem := func(n int, what string) {
		if n > 0 {
			r.Problems = append(r.Problems, fmt.Sprintf("%d %s", n, what))
		}
	}
	problem(r.Lost, "lost")
	problem(r.OutOfOrder, "out of order")
	problem(r.Wrong, "accepted or delivered wrongly")
	if failure != nil {
		r.Problems = append(r.Problems, "sending was given up: "+failure.Error())
	} else {
		problem(r.Sent-r.Accepted.Events, "not accepted")
	}
	// A run in which nothing happened proves nothing.
	if r.Accepted.Events == 0 {
		r.Problems = append(r.Problems, "nothing was accepted")
	}
	r.Passed = len(r.Problems) == 0
}

// enough is the share of a rate that counts as having kept it.
const enough = 0.95

// remark lists what else there is to know.
func (r *Report) remark(sending time.Duration, leftover int) {
	note := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	if asked := r.Workload.PerSecond; asked > 0 && r.Sent > 1 && !r.Interrupted {
		if began := float64(r.Sent-1) / sending.Seconds(); began < enough*asked {
			note("%.0f events a second were begun, not %.0f: more connections, more subjects or a faster ingress would allow it", began, asked)
		}
	}
	if r.Foreign > 0 {
		note("%d deliveries of events that no bench sent were refused with a 503, so that Holdfast keeps them: real traffic seems to be routed here", r.Foreign)
	}
	if leftover > 0 {
		note("%d deliveries were left over from another bench", leftover)
	}
}
