package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

const (
	eventColumns = `e.sequence, e.event_id, e.source, e.provider, coalesce(s.id, ''), e.type, e.key, e.at, e.received_at,
	e.position, e.related, e.staging, e.status, e.attempts, e.reason, e.handler, e.settled_at, e.redo, e.replay_of,
	coalesce(e.run_id, '')`
	eventTables = ` FROM events e LEFT JOIN subjects s ON s.number = e.subject `
)

// scannedEvent takes the eventColumns of a row.
type scannedEvent struct {
	event          inbox.Event
	at, receivedAt stamp
	settledAt      stamp
	related        string
}

func (s *scannedEvent) fields() []any {
	e := &s.event
	return []any{
		&e.Sequence, (*text)(&e.EventID), (*text)(&e.Source), (*text)(&e.Provider), (*text)(&e.Subject), (*text)(&e.Type),
		(*text)(&e.Key), &s.at, &s.receivedAt, &e.Index, &s.related, &e.Staging, (*string)(&e.Status), &e.Attempts,
		(*text)(&e.Reason), (*text)(&e.Handler), &s.settledAt, &e.Redo, &e.ReplayOf, (*text)(&e.Run),
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

func scanEvent(r pgx.CollectableRow) (inbox.Event, error) {
	var scanned scannedEvent
	if err := r.Scan(scanned.fields()...); err != nil {
		return inbox.Event{}, err
	}
	return scanned.read()
}

// querier is a transaction, the pool, or a connection.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

func queryEvents(ctx context.Context, q querier, query string, args ...any) ([]inbox.Event, error) {
	rows, _ := q.Query(ctx, query, args...) // its error comes with the rows
	events, err := pgx.CollectRows(rows, scanEvent)
	if len(events) == 0 {
		return nil, err
	}
	return events, err
}

// queryEvent returns one event, or inbox.ErrNotFound.
func queryEvent(ctx context.Context, q querier, sequence int64) (inbox.Event, error) {
	events, err := queryEvents(ctx, q, "SELECT "+eventColumns+eventTables+"WHERE e.sequence = $1", sequence)
	if err != nil {
		return inbox.Event{}, fmt.Errorf("read event %d: %w", sequence, err)
	}
	if len(events) == 0 {
		return inbox.Event{}, fmt.Errorf("event %d: %w", sequence, inbox.ErrNotFound)
	}
	return events[0], nil
}
