package postgres

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// appendBatch is a batch of deliveries as the function append_2 gets it. It is used
// again and again, so that its arrays need not grow each time.
type appendBatch struct {
	patience string
	events   []newEvent
	subjects []newSubject // in the order of their IDs
	keyed    int          // how many events have a key
	lookups  bool         // whether a key is looked up by something else than itself

	s      struct{ id, name, source, count, since array }
	d      struct{ contentType, encoding, size, body, first, count array }
	kEvent array
	e      struct {
		delivery, subject, eventID, source, provider, kind, key, lookup, digest,
		expires, at, received, position, related, staging, quarantine array
	}
	args arguments

	bySubject map[string]int
	keys      []newKey
}

// newEvent is an event of a batch. Its subject is numbered from 1; 0: none.
type newEvent struct {
	*inbox.NewEvent
	subject int
	receipt *inbox.Receipt
}

type newSubject struct {
	id, name, source string
	number           int // in the order of arrival
	pending          int // events that are to be
	since            row.Time
	rung             bool
}

// newKey is a key as it is stored, and the number of an event that has it.
type newKey struct {
	source, key string
	event       int
}

func (b *appendBatch) arrays() []*array {
	return []*array{
		&b.s.id, &b.s.name, &b.s.source, &b.s.count, &b.s.since,
		&b.d.contentType, &b.d.encoding, &b.d.size, &b.d.body, &b.d.first, &b.d.count, &b.kEvent,
		&b.e.delivery, &b.e.subject, &b.e.eventID, &b.e.source, &b.e.provider, &b.e.kind, &b.e.key, &b.e.lookup, &b.e.digest,
		&b.e.expires, &b.e.at, &b.e.received, &b.e.position, &b.e.related, &b.e.staging, &b.e.quarantine,
	}
}

// fill takes the deliveries in.
func (b *appendBatch) fill(batch []*appending, patience string) {
	for _, a := range b.arrays() {
		a.reset()
	}
	if b.bySubject == nil {
		b.bySubject = map[string]int{}
	}
	clear(b.bySubject)
	b.patience, b.keyed, b.lookups = patience, 0, false
	b.events, b.subjects, b.keys = b.events[:0], b.subjects[:0], b.keys[:0]
	for i, a := range batch {
		b.add(i+1, a)
	}
	b.order()
}

func (b *appendBatch) add(number int, a *appending) {
	n := len(a.delivery.Events)
	b.d.contentType.text(a.delivery.ContentType)
	b.d.encoding.int16(a.encoding)
	b.d.size.int64(int64(len(a.delivery.Body)))
	b.d.body.bytes(a.body)
	b.d.first.int(len(b.events) + 1)
	b.d.count.int64(int64(n))
	a.receipts = make([]inbox.Receipt, n)
	for i := range a.delivery.Events {
		e := &a.delivery.Events[i]
		b.events = append(b.events, newEvent{e, b.subjectOf(e), &a.receipts[i]})
		b.key(e)
		b.e.delivery.int(number)
		b.e.eventID.text(e.EventID)
		b.e.source.text(e.Source)
		b.e.provider.text(e.Provider)
		b.e.kind.text(e.Type)
		b.e.expires.time(row.Expires(e))
		b.e.at.time(row.TimeOf(e.At))
		b.e.received.time(row.TimeOf(e.ReceivedAt))
		b.e.position.int64(int64(e.Index))
		b.e.related.text(a.related[i])
		b.e.staging.bool(e.Staging)
		b.e.quarantine.text(e.Quarantine)
	}
}

// subjectOf counts the event with its subject and returns that one's number.
func (b *appendBatch) subjectOf(e *inbox.NewEvent) int {
	if e.Subject == "" {
		return 0
	}
	number := b.bySubject[e.Subject]
	if number == 0 {
		name := e.SubjectName
		if name == "" {
			name = e.Subject
		}
		number = len(b.subjects) + 1
		b.bySubject[e.Subject] = number
		b.subjects = append(b.subjects, newSubject{id: row.Text(e.Subject), name: name, source: e.Source, number: number})
	}
	if e.Quarantine == "" {
		subject := &b.subjects[number-1]
		if subject.pending == 0 {
			subject.since = row.TimeOf(e.ReceivedAt)
		}
		subject.pending++
	}
	return number
}

// key notes the key of the event that was added last.
func (b *appendBatch) key(e *inbox.NewEvent) {
	key := row.Text(e.Key)
	lookup := lookupOf(key)
	b.e.key.stored(key)
	b.e.lookup.stored(lookup)
	b.e.digest.stored(lookupOf(row.Text(e.Digest)))
	b.lookups = b.lookups || lookup != key
	if lookup != "" {
		b.keyed++
		b.keys = append(b.keys, newKey{row.Text(e.Source), lookup, len(b.events)})
	}
}

// maxIndexed is how long a text may be to be in an index as it is.
const maxIndexed = 1000

// lookupOf does what the function lookup_1 does.
func lookupOf(key string) string {
	if len(key) <= maxIndexed {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "\x01h" + hex.EncodeToString(sum[:])
}

// order brings subjects and keys into the order in which everybody locks them, that
// of their bytes, and gives the subjects their numbers in it.
func (b *appendBatch) order() {
	slices.SortFunc(b.subjects, func(a, b newSubject) int { return cmp.Compare(a.id, b.id) })
	numbers := make([]int, len(b.subjects)+1)
	for i := range b.subjects {
		s := &b.subjects[i]
		numbers[s.number] = i + 1
		b.s.id.stored(s.id)
		b.s.name.text(s.name)
		b.s.source.text(s.source)
		b.s.count.int64(int64(s.pending))
		b.s.since.time(s.since)
	}
	for i := range b.events {
		b.events[i].subject = numbers[b.events[i].subject]
		b.e.subject.int(b.events[i].subject)
	}
	slices.SortFunc(b.keys, func(a, b newKey) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.key, b.key), cmp.Compare(a.event, b.event))
	})
	for i, k := range b.keys {
		if i == 0 || k.source != b.keys[i-1].source || k.key != b.keys[i-1].key {
			b.kEvent.int(k.event)
		}
	}
}
