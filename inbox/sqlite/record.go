package sqlite

import (
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// eventRecord is an event as it is inserted.
type eventRecord struct {
	eventID, source, provider string
	subject                   reference // subjects.number; 0: unknown
	eventType, key            string
	at, receivedAt            row.Time
	position                  int
	related                   string
	staging                   bool
	payload                   int64
	status                    inbox.Status
	reason                    string
	settledAt                 row.Time
	replayOf                  int64
	keyed
}

const insertEventSQL = `INSERT INTO events (event_id, source, provider, subject, type, key, at, received_at,
	position, related, staging, payload, status, reason, settled_at, replay_of, key_hash, key_expires_at, digest)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func (t *tx) insertEvent(e eventRecord) (sequence int64, err error) {
	return t.inserted(insertEventSQL,
		e.eventID, e.source, e.provider, e.subject, e.eventType, e.key, e.at, e.receivedAt,
		e.position, e.related, e.staging, e.payload, e.status, e.reason, e.settledAt, e.replayOf, e.hash, e.expires, e.digest)
}

const (
	eventColumns = `e.sequence, e.event_id, e.source, e.provider, s.id, e.type, e.key, e.at, e.received_at,
	e.position, e.related, e.staging, e.status, e.attempts, e.reason, e.handler, e.settled_at, e.redo, e.replay_of,
	e.run_id`
	eventTables = ` FROM events e LEFT JOIN subjects s ON s.number = e.subject `

	// headOfSubject finds the first pending event of a subjects.number.
	headOfSubject = "SELECT " + eventColumns + eventTables +
		"WHERE e.subject = ? AND e.status = 'pending' ORDER BY e.sequence LIMIT 1"
)

// readEvent reads the eventColumns. The id of its subject, if it is known, need not be read.
func readEvent(c *columns, subject string) (inbox.Event, error) {
	var e inbox.Event
	e.Sequence, e.EventID, e.Source = c.int64(), c.text(), c.text()
	e.Provider, e.Subject, e.Type, e.Key = c.one(e.Source), c.one(subject), c.text(), c.text()
	e.At, e.ReceivedAt, e.Index = c.time().Time(), c.time().Time(), c.int()
	related, err := row.DecodeRelated(c.text())
	if err != nil {
		return inbox.Event{}, fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	e.Related, e.Staging, e.Status, e.Attempts = related, c.bool(), c.status(), c.int()
	e.Reason, e.Handler, e.SettledAt = c.text(), c.text(), c.time().Time()
	e.Redo, e.ReplayOf, e.Run = c.int(), c.int64(), c.text()
	return e, nil
}

func readEvents(events *[]inbox.Event) func(columns) error {
	return func(c columns) error {
		event, err := readEvent(&c, "")
		*events = append(*events, event)
		return err
	}
}
