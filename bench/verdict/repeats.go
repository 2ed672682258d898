package verdict

import "fmt"

// Repeats are deliveries of events that had been delivered.
type Repeats struct {
	InFlight    int       `json:"in_flight"`
	Late        int       `json:"late"`
	Unexplained []Finding `json:"unexplained"`
}

// judgeRepeats finds a subject's repeats. late counts those of each fault, by its
// place in the list.
func (r *Record) judgeRepeats(h *history, late map[int]int, into *Repeats) {
	done := map[int]Delivery{} // the last delivery of each event that was answered with a 2xx
	newest := -1
	for _, d := range h.deliveries {
		if before, repeated := done[d.Counter]; repeated {
			r.judgeRepeat(before, d, newest, late, into)
		}
		if d.done() {
			done[d.Counter] = d
		}
		newest = max(newest, d.Counter)
	}
}

// judgeRepeat explains one repeat: again, of a delivery before.
func (r *Record) judgeRepeat(before, again Delivery, newest int, late map[int]int, into *Repeats) {
	for i, f := range r.Faults {
		if f.Frozen && f.Worker == again.Worker && f.Worker != before.Worker && late[i] == 0 &&
			before.Begun.After(f.Begin) && !again.Begun.Before(f.Healed) && again.Begun.Before(f.over()) {
			late[i]++
			into.Late++
			return
		}
	}
	if newest > again.Counter {
		into.Unexplained = append(into.Unexplained, Finding{again.ID, fmt.Sprintf("repeated by %s %s after event %d of the subject had begun", again.Worker, at(r, again), newest)})
		return
	}
	for _, f := range r.Faults {
		if f.hits(before) {
			into.InFlight++
			return
		}
	}
	into.Unexplained = append(into.Unexplained, Finding{again.ID, fmt.Sprintf(
		"repeated by %s %s; it had been delivered by %s %s, and no fault was on", again.Worker, at(r, again), before.Worker, at(r, before))})
}

// at says when a delivery began, and which attempt it was.
func at(r *Record, d Delivery) string {
	return fmt.Sprintf("at %.3fs (attempt %d)", d.Begun.Sub(r.Began).Seconds(), d.Attempt)
}
