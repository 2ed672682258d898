package bench

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/bench/verdict"
)

// probeSubject is the name of what is sent before the load.
const probeSubject = "probe"

// ServeHTTP takes a delivery.
func (b *Bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		// Most likely its sender died while it sent. Without a word it would be a 200.
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	run, subject, n, ok := readMark(body)
	switch {
	case !ok:
		b.ledger.stray(false)
		refuse(w)
		return
	case run != b.make.run:
		b.ledger.stray(true)
		return
	case subject == probeSubject:
		b.ledger.probe(n)
		return
	}
	place, err := strconv.Atoi(subject)
	if err != nil {
		place = -1
	}
	one, told := b.read(r.Header, verdict.ID{Subject: subject, Counter: n}, body)
	at, ok := b.ledger.arrived(place, one, told)
	if !ok {
		refuse(w)
		return
	}
	if b.options.Delay > 0 {
		// The work is done to its end, whether or not its sender waits for it.
		<-time.After(b.options.Delay)
	}
	b.ledger.done(place, at, http.StatusOK)
}

// refuse answers to the delivery of a real event: to say that it was handled would be to
// lose it.
func refuse(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	http.Error(w, "this is holdfast bench, which handles no events but its own", http.StatusServiceUnavailable)
}

// read makes a record of a delivery, and returns the subject that it names.
func (b *Bench) read(h http.Header, id verdict.ID, body []byte) (one verdict.Delivery, subject string) {
	one = verdict.Delivery{ID: id, Digest: b.make.digest(body), Key: h.Get(activities.HeaderIdempotencyKey)}
	one.Sequence, _ = strconv.ParseInt(h.Get(activities.HeaderSequence), 10, 64)
	one.Attempt, _ = strconv.Atoi(h.Get(activities.HeaderAttempt))
	// A value with anything unusual in it is percent-encoded as a whole.
	subject = h.Get(activities.HeaderSubject)
	if plain, err := url.PathUnescape(subject); err == nil {
		subject = plain
	}
	return one, subject
}
