package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// eventRecord is an event as it is inserted.
type eventRecord struct {
	eventID, source, provider string
	subject                   sql.NullInt64 // subjects.number
	eventType, key            string
	at, receivedAt            micros
	position                  int
	related                   string
	staging                   bool
	payload                   int64
	status                    inbox.Status
	reason                    string
	settledAt                 micros
	replayOf                  int64
}

func (t *tx) insertEvent(e eventRecord) (sequence int64, err error) {
	return t.inserted(`INSERT INTO events (event_id, source, provider, subject, type, key, at, received_at,
		position, related, staging, payload, status, reason, settled_at, replay_of)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.eventID, e.source, e.provider, e.subject, e.eventType, e.key, e.at, e.receivedAt,
		e.position, e.related, e.staging, e.payload, string(e.status), e.reason, e.settledAt, e.replayOf)
}

const (
	eventColumns = `e.sequence, e.event_id, e.source, e.provider, coalesce(s.id, ''), e.type, e.key, e.at, e.received_at,
	e.position, e.related, e.staging, e.status, e.attempts, e.reason, e.handler, e.settled_at, e.redo, e.replay_of,
	coalesce(e.run_id, '')`
	eventTables = ` FROM events e LEFT JOIN subjects s ON s.number = e.subject `

	// headOfSubject finds the first pending event of a subjects.number.
	headOfSubject = "SELECT " + eventColumns + eventTables +
		"WHERE e.subject = ? AND e.status = 'pending' ORDER BY e.sequence LIMIT 1"
)

// scannedEvent takes the eventColumns of a row.
type scannedEvent struct {
	event          inbox.Event
	at, receivedAt micros
	settledAt      micros
	related        string
}

func (s *scannedEvent) fields() []any {
	e := &s.event
	return []any{
		&e.Sequence, &e.EventID, &e.Source, &e.Provider, &e.Subject, &e.Type, &e.Key, &s.at, &s.receivedAt,
		&e.Index, &s.related, &e.Staging, &e.Status, &e.Attempts, &e.Reason, &e.Handler, &s.settledAt, &e.Redo, &e.ReplayOf,
		&e.Run,
	}
}

func (s *scannedEvent) read() (inbox.Event, error) {
	e := s.event
	e.At, e.ReceivedAt, e.SettledAt = s.at.time(), s.receivedAt.time(), s.settledAt.time()
	var err error
	if e.Related, err = row.DecodeRelated(s.related); err != nil {
		return inbox.Event{}, fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	return e, nil
}

// querier is a transaction, a pool, or a connection.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func queryEvents(ctx context.Context, q querier, query string, args ...any) ([]inbox.Event, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var events []inbox.Event
	err = eachRow(rows, func(rows *sql.Rows) error {
		var scanned scannedEvent
		if err := rows.Scan(scanned.fields()...); err != nil {
			return err
		}
		event, err := scanned.read()
		events = append(events, event)
		return err
	})
	return events, err
}
