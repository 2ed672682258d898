package verdict

import "time"

// Record is all that is known of a run.
type Record struct {
	Seed     uint64
	Began    time.Time // of the load
	Ended    time.Time
	Subjects int
	Sendings []Sending
	// Deliveries are in the order in which they began.
	Deliveries []Delivery
	Faults     []Fault
	// Unsettled are events that the inbox says are not delivered, at the end.
	Unsettled int
	// Exits are how often a process ended by itself, by name.
	Exits map[string]int
}

// ID names an event: the counter-th of a subject, from 0.
type ID struct {
	Subject string `json:"subject"`
	Counter int    `json:"counter"`
}

// Sending is an event as its sender sees it.
type Sending struct {
	ID
	Digest     string // of the body
	First      time.Time
	Requests   int // with those that were not answered
	Refused    int // 503 and 429
	Unanswered int
	Duplicates int      // sent on purpose, beside the sender's own repetitions
	Answers    []Answer // the 2xx, none: never accepted
}

// Answer is a 2xx.
type Answer struct {
	At        time.Time
	Took      time.Duration
	EventID   string
	Sequence  int64
	Duplicate bool
}

// Accepted is when the sender knew that the event was accepted; zero: it never did.
func (s Sending) Accepted() time.Time {
	var first time.Time
	for _, a := range s.Answers {
		if first.IsZero() || a.At.Before(first) {
			first = a.At
		}
	}
	return first
}

// Delivery is a request that came to the destination.
type Delivery struct {
	ID
	Digest   string
	Sequence int64
	Key      string
	Attempt  int
	Worker   string
	Begun    time.Time
	Ended    time.Time
	Status   int
}

func (d Delivery) done() bool { return d.Status/100 == 2 }

// Fault is something that was done to the fleet.
type Fault struct {
	Name   string // such as "kill worker-1"
	Begin  time.Time
	Healed time.Time // when it was undone: restarted, thawed, connected
	// Accepted and Delivered are the first acceptance and the first delivery that
	// began after it was healed; zero: there was none in time.
	Accepted  time.Time
	Delivered time.Time
	// AllWorkers, or the named one, could be hindered from settling by it.
	AllWorkers bool
	Worker     string
	// Frozen tells that Worker was frozen: once thawed it may send one event late.
	Frozen bool
	// Note is what there is to say of it, such as how much of it was felt.
	Note string
}

const (
	// settleWindow is how long after its answer an event may not be settled yet: a
	// store that is slow or away is tried for eight seconds.
	settleWindow = 10 * time.Second
	// aftermath is how long a healed fault is still felt: connections that died in it
	// are found out when they are used.
	aftermath = 10 * time.Second
)

// over is when the fault was no longer felt.
func (f Fault) over() time.Time {
	over := f.Healed
	for _, at := range []time.Time{f.Accepted, f.Delivered} {
		if at.After(over) {
			over = at
		}
	}
	return over.Add(aftermath)
}

// hits tells whether a delivery was being handled or settled while the fault was on,
// by a worker that could feel it.
func (f Fault) hits(d Delivery) bool {
	if !f.AllWorkers && f.Worker != d.Worker {
		return false
	}
	return d.Begun.Before(f.over()) && d.Ended.Add(settleWindow).After(f.Begin)
}
