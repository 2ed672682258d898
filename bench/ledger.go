package bench

import (
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-project/holdfast/bench/sending"
	"github.com/holdfast-project/holdfast/bench/verdict"
)

// ledger is all that is known of a run's events. It is safe for concurrent use.
type ledger struct {
	mu       sync.Mutex
	subjects []*subject
	progress Progress
	missing  int       // accepted, and not delivered so far
	last     time.Time // when an event was accepted or delivered last
	probes   []int
	foreign  int // deliveries of what no bench sent
	leftover int // deliveries of another bench's events
}

// subject is one subject's part of it. Its events are numbered from 0.
type subject struct {
	sendings   []verdict.Sending
	deliveries []verdict.Delivery // in the order in which they began
	delivered  []bool
	// id is the subject's in the receipts, and told what its deliveries said.
	id, told  string
	otherwise []verdict.Finding // what was said of it otherwise
}

// Progress is how far a run is.
type Progress struct {
	Sent, Accepted, Delivered int
	// Fraction is how much of the run is done, from 0 to 1.
	Fraction float64
}

// add makes a subject and returns its place.
func (l *ledger) add() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subjects = append(l.subjects, &subject{})
	return len(l.subjects) - 1
}

// next is the number of the subject's next event.
func (l *ledger) next(place int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.subjects[place].sendings)
}

// name is a subject's, from its place.
func name(place int) string { return strconv.Itoa(place) }

// begin notes that the subject's next event is about to be sent, and how often it is
// sent a second time on purpose.
func (l *ledger) begin(place int, digest string, duplicates int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.subjects[place]
	s.sendings = append(s.sendings, verdict.Sending{
		ID: verdict.ID{Subject: name(place), Counter: len(s.sendings)}, Digest: digest, First: time.Now(), Duplicates: duplicates,
	})
	s.delivered = append(s.delivered, false)
	l.progress.Sent++
}

// answered notes what became of a request with the subject's n-th event.
func (l *ledger) answered(place, n int, a sending.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.subjects[place]
	known := &s.sendings[n]
	a.Note(known)
	if len(known.Answers) != 1 || !a.Accepted() {
		return
	}
	l.progress.Accepted++
	l.last = a.At
	if !s.delivered[n] {
		l.missing++
	}
	if len(a.Receipts) == 1 {
		s.id = a.Receipts[0].Subject
	}
}

// arrived notes a delivery that begins, and returns its place among its subject's; not
// ok: there is no such event.
func (l *ledger) arrived(place int, d verdict.Delivery, told string) (at int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place < 0 || place >= len(l.subjects) || d.Counter < 0 || d.Counter >= len(l.subjects[place].sendings) {
		l.foreign++
		return 0, false
	}
	s := l.subjects[place]
	d.Begun = time.Now()
	s.deliveries = append(s.deliveries, d)
	if s.told == "" {
		s.told = told
	}
	if told != s.told {
		s.otherwise = append(s.otherwise, verdict.Finding{ID: d.ID, What: "delivered as an event of another subject than the one before it"})
	}
	return len(s.deliveries) - 1, true
}

// done notes that a delivery was answered with a 2xx.
func (l *ledger) done(place, at, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.subjects[place]
	d := &s.deliveries[at]
	d.Ended, d.Status = time.Now(), status
	l.last = d.Ended
	if s.delivered[d.Counter] {
		return
	}
	s.delivered[d.Counter] = true
	l.progress.Delivered++
	if len(s.sendings[d.Counter].Answers) > 0 {
		l.missing--
	}
}

// stray notes a delivery of something that is not this run's.
func (l *ledger) stray(benchs bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if benchs {
		l.leftover++
	} else {
		l.foreign++
	}
}

// now is the progress, how many events are missing, and when something happened last.
func (l *ledger) now() (p Progress, missing int, last time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.progress, l.missing, l.last
}

// probe notes that a probe was delivered.
func (l *ledger) probe(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probes = append(l.probes, n)
}

// probed calls found for each probe that was delivered, and returns how many deliveries
// were no bench's.
func (l *ledger) probed(found func(n int)) (foreign int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.probes {
		found(n)
	}
	return l.foreign
}
