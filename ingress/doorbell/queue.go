package doorbell

import (
	"slices"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// queue holds rings and gives each source its turn, so that the flood of one
// source does not delay the rings of another. The zero value is empty.
type queue struct {
	turns   []string // sources with rings, the next one first
	waiting map[string][]*ring
}

func (q *queue) push(r *ring) {
	if q.waiting == nil {
		q.waiting = map[string][]*ring{}
	}
	source := inbox.SourceOf(r.subject)
	if len(q.waiting[source]) == 0 {
		q.turns = append(q.turns, source)
	}
	q.waiting[source] = append(q.waiting[source], r)
}

// pop takes the first ring of the source whose turn it is, among those that may have
// one; nil if there is none.
func (q *queue) pop(may func(source string) bool) *ring {
	turn := slices.IndexFunc(q.turns, may)
	if turn < 0 {
		return nil
	}
	source := q.turns[turn]
	q.turns = slices.Delete(q.turns, turn, turn+1)
	rings := q.waiting[source]
	first := rings[0]
	if rings = rings[1:]; len(rings) > 0 {
		q.waiting[source] = rings
		q.turns = append(q.turns, source)
	} else {
		delete(q.waiting, source)
	}
	return first
}

// oldest returns since when the first ring of a source waits, zero if there is none.
func (q *queue) oldest(source string) time.Time {
	if rings := q.waiting[source]; len(rings) > 0 {
		return rings[0].since
	}
	return time.Time{}
}
