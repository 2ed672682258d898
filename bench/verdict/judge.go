package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Figures are the verdict.
type Figures struct {
	Passed   bool     `json:"passed"`
	Problems []string `json:"problems"` // why it did not pass

	Seed     uint64  `json:"seed"`
	Seconds  float64 `json:"load_s"`
	Subjects int     `json:"subjects"`

	Sent       int `json:"sent"` // different events
	Accepted   int `json:"accepted"`
	Requests   int `json:"requests"`
	Refused    int `json:"refused"`    // requests answered with 503 or 429
	Unanswered int `json:"unanswered"` // requests without an answer
	Duplicates int `json:"duplicates_sent"`
	// Recognised are the answers that said so: of duplicates sent on purpose, and of
	// repetitions by senders who had got no answer.
	Recognised int `json:"duplicates_recognised"`

	Delivered  int       `json:"delivered"`
	Deliveries int       `json:"deliveries"` // requests at the destination, failed ones too
	Lost       []Finding `json:"lost"`
	OutOfOrder []Finding `json:"out_of_order"`
	Repeated   Repeats   `json:"repeated"`
	// Wrong are other broken promises: two acceptances of one event, a body that is not
	// what was sent, another sequence or key in a repeat, a delivery of nobody's event.
	Wrong     []Finding `json:"wrong"`
	Unsettled int       `json:"unsettled"`

	Acceptance Acceptance     `json:"acceptance"`
	Handling   Handling       `json:"handling"`
	Faults     []FaultFigures `json:"faults"`
	Exits      map[string]int `json:"ended_by_themselves"`
}

// FaultFigures are times in seconds. Accepted and Delivered are how long after the
// fault was healed the first event was accepted, and the first delivery began; -1:
// none was in time.
type FaultFigures struct {
	Name      string  `json:"name"`
	Began     float64 `json:"began_s"`
	Lasted    float64 `json:"lasted_s"`
	Outage    float64 `json:"outage_s"` // longest time without a 2xx in or after it
	Accepted  float64 `json:"accepted_again_s"`
	Delivered float64 `json:"delivered_again_s"`
	Note      string  `json:"note,omitempty"`
}

// Judge turns a record into the verdict.
func Judge(r Record) Figures {
	slices.SortStableFunc(r.Deliveries, func(a, b Delivery) int { return a.Begun.Compare(b.Begun) })
	f := Figures{
		Seed: r.Seed, Seconds: r.Ended.Sub(r.Began).Seconds(), Subjects: r.Subjects, Deliveries: len(r.Deliveries),
		Unsettled: r.Unsettled, Acceptance: r.acceptance(), Exits: r.Exits,
		Lost: []Finding{}, OutOfOrder: []Finding{}, Wrong: []Finding{}, Repeated: Repeats{Unexplained: []Finding{}},
	}
	all := histories(r.Deliveries)
	f.Handling = r.handling(all)
	sent := map[ID]Sending{}
	for _, s := range r.Sendings {
		sent[s.ID] = s
		f.count(s)
		h := all[s.Subject]
		if !s.Accepted().IsZero() && (h == nil || h.done(s.Counter).IsZero()) {
			f.Lost = append(f.Lost, Finding{s.ID, "accepted and never delivered"})
		}
	}
	late := map[int]int{}
	for _, h := range all {
		for counter := range h.byCounter {
			if !h.done(counter).IsZero() {
				f.Delivered++
			}
			f.Wrong = append(f.Wrong, strange(h.byCounter[counter], sent)...)
		}
		f.OutOfOrder = append(f.OutOfOrder, h.outOfOrder()...)
		r.judgeRepeats(h, late, &f.Repeated)
	}
	for _, list := range [][]Finding{f.Lost, f.OutOfOrder, f.Wrong, f.Repeated.Unexplained} {
		slices.SortFunc(list, func(a, b Finding) int {
			return cmp.Or(cmp.Compare(a.Subject, b.Subject), a.Counter-b.Counter)
		})
	}
	f.Faults = r.faultFigures()
	f.conclude()
	return f
}

// count adds what one sender did, and finds an event that was accepted twice.
func (f *Figures) count(s Sending) {
	f.Sent++
	f.Requests += s.Requests
	f.Refused += s.Refused
	f.Unanswered += s.Unanswered
	f.Duplicates += s.Duplicates
	if len(s.Answers) == 0 {
		return
	}
	f.Accepted++
	fresh := 0
	for _, a := range s.Answers {
		if a.Duplicate {
			f.Recognised++
		} else {
			fresh++
		}
		if first := s.Answers[0]; a.EventID != first.EventID || a.Sequence != first.Sequence {
			f.Wrong = append(f.Wrong, Finding{s.ID, fmt.Sprintf("accepted twice, as %s and as %s", first.EventID, a.EventID)})
			return
		}
	}
	if fresh > 1 {
		f.Wrong = append(f.Wrong, Finding{s.ID, fmt.Sprintf("answered %d times as new", fresh)})
	}
}

// strange finds what is wrong with the deliveries of one event.
func strange(deliveries []Delivery, sent map[ID]Sending) []Finding {
	first := deliveries[0]
	s, known := sent[first.ID]
	if !known {
		return []Finding{{first.ID, "delivered, and nobody sent it"}}
	}
	for _, d := range deliveries {
		switch {
		case d.Digest != s.Digest:
			return []Finding{{first.ID, "delivered with another body than was sent"}}
		case d.Sequence != first.Sequence:
			return []Finding{{first.ID, fmt.Sprintf("delivered with sequence %d, and again with %d", first.Sequence, d.Sequence)}}
		case d.Key != first.Key:
			return []Finding{{first.ID, "delivered with two idempotency keys"}}
		case len(s.Answers) > 0 && (d.Key != s.Answers[0].EventID || d.Sequence != s.Answers[0].Sequence):
			return []Finding{{first.ID, "delivered with another key or sequence than its sender was told"}}
		}
	}
	return nil
}

// conclude lists the problems.
func (f *Figures) conclude() {
	f.Problems = []string{}
	problem := func(n int, what string) {
		if n > 0 {
			f.Problems = append(f.Problems, fmt.Sprintf("%d %s", n, what))
		}
	}
	problem(len(f.Lost), "lost")
	problem(len(f.OutOfOrder), "out of order")
	problem(len(f.Repeated.Unexplained), "repeated without an explanation")
	problem(len(f.Wrong), "accepted or delivered wrongly")
	problem(f.Unsettled, "not settled as delivered")
	// A Temporal server that starts while its database is away ends; ours must not.
	for _, name := range slices.Sorted(maps.Keys(f.Exits)) {
		if strings.HasPrefix(name, "ingress-") || strings.HasPrefix(name, "worker-") {
			f.Problems = append(f.Problems, fmt.Sprintf("%s ended by itself %d times", name, f.Exits[name]))
		}
	}
	for _, fault := range f.Faults {
		if fault.Accepted < 0 || fault.Delivered < 0 {
			f.Problems = append(f.Problems, "no recovery from: "+fault.Name)
		}
	}
	// A run in which nothing happened proves nothing.
	if f.Accepted == 0 {
		f.Problems = append(f.Problems, "nothing was accepted")
	}
	f.Passed = len(f.Problems) == 0
}

func (r *Record) faultFigures() []FaultFigures {
	all := []FaultFigures{}
	for i, fault := range r.Faults {
		until := r.Ended
		if i+1 < len(r.Faults) {
			until = r.Faults[i+1].Begin
		}
		all = append(all, FaultFigures{
			Name: fault.Name, Note: fault.Note, Outage: r.outageWithin(fault.Begin, until),
			Began: fault.Begin.Sub(r.Began).Seconds(), Lasted: fault.Healed.Sub(fault.Begin).Seconds(),
			Accepted: after(fault.Healed, fault.Accepted), Delivered: after(fault.Healed, fault.Delivered),
		})
	}
	return all
}
