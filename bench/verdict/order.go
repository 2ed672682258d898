package verdict

import (
	"fmt"
	"time"
)

// Finding is something that must not be.
type Finding struct {
	ID
	What string `json:"what"`
}

// history is what the destination saw of one subject.
type history struct {
	deliveries []Delivery
	byCounter  map[int][]Delivery
}

// histories sorts the deliveries by subject; within it they keep their order.
func histories(deliveries []Delivery) map[string]*history {
	all := map[string]*history{}
	for _, d := range deliveries {
		h := all[d.Subject]
		if h == nil {
			h = &history{byCounter: map[int][]Delivery{}}
			all[d.Subject] = h
		}
		h.deliveries = append(h.deliveries, d)
		h.byCounter[d.Counter] = append(h.byCounter[d.Counter], d)
	}
	return all
}

// done is when an event was first answered with a 2xx; zero: never.
func (h *history) done(counter int) time.Time {
	var first time.Time
	for _, d := range h.byCounter[counter] {
		if d.done() && (first.IsZero() || d.Ended.Before(first)) {
			first = d.Ended
		}
	}
	return first
}

// outOfOrder finds the events that began before their predecessor was done. Each is
// found once, however often it was tried.
func (h *history) outOfOrder() []Finding {
	var found []Finding
	seen := map[int]bool{}
	for _, d := range h.deliveries {
		if seen[d.Counter] {
			continue
		}
		seen[d.Counter] = true
		if d.Counter == 0 {
			continue
		}
		before := h.done(d.Counter - 1)
		switch {
		case before.IsZero():
			found = append(found, Finding{d.ID, "delivered, but the event before it never was"})
		case before.After(d.Begun):
			found = append(found, Finding{d.ID, fmt.Sprintf("begun %s before the event before it was done", before.Sub(d.Begun))})
		case h.byCounter[d.Counter-1][0].Sequence >= d.Sequence:
			found = append(found, Finding{d.ID, "has a sequence that is not greater than that of the event before it"})
		}
	}
	return found
}
