package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Event returns one event, or inbox.ErrNotFound.
func (s *Store) Event(ctx context.Context, sequence int64) (inbox.Event, error) {
	events, err := queryEvents(ctx, s.readers, "SELECT "+eventColumns+eventTables+"WHERE e.sequence = ?", sequence)
	if err != nil {
		return inbox.Event{}, fmt.Errorf("read event %d: %w", sequence, err)
	}
	if len(events) == 0 {
		return inbox.Event{}, fmt.Errorf("event %d: %w", sequence, inbox.ErrNotFound)
	}
	return events[0], nil
}

// Payload returns the body that brought an event, or inbox.ErrNotFound.
func (s *Store) Payload(ctx context.Context, sequence int64) (inbox.Payload, error) {
	var p inbox.Payload
	err := s.readers.QueryRowContext(ctx, `SELECT p.content_type, p.body FROM events e
		JOIN payloads p ON p.id = e.payload WHERE e.sequence = ?`, sequence).Scan(&p.ContentType, &p.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("event %d: %w", sequence, inbox.ErrNotFound)
	}
	if err != nil {
		return p, fmt.Errorf("read the payload of event %d: %w", sequence, err)
	}
	return p, nil
}

// Events returns the events that match, in sequence order.
func (s *Store) Events(ctx context.Context, f inbox.EventFilter) ([]inbox.Event, error) {
	events, err := s.events(ctx, f, row.LimitOr(f.Limit, row.DefaultLimit))
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return events, nil
}

func (s *Store) events(ctx context.Context, f inbox.EventFilter, limit int) ([]inbox.Event, error) {
	where, args := []string{"e.sequence > ?"}, []any{f.After}
	match := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if f.Before != 0 {
		match("e.sequence < ?", f.Before)
	}
	if f.Subject != "" {
		numbers, err := s.subjectNumbers(ctx, f.Subject)
		if err != nil || len(numbers) == 0 {
			return nil, err
		}
		match("e.subject IN (?"+strings.Repeat(", ?", len(numbers)-1)+")", numbers...)
	}
	if f.Source != "" {
		match("e.source = ?", f.Source)
	}
	if f.Type != "" {
		match("e.type = ?", f.Type)
	}
	if !f.From.IsZero() {
		match("e.received_at >= ?", microsOf(f.From))
	}
	if !f.To.IsZero() {
		match("e.received_at < ?", microsOf(f.To))
	}
	switch f.Status {
	case "":
	case inbox.StatusDelivered: // nearly all are: no index would help
		match("e.status = ?", string(f.Status))
	case inbox.StatusPending:
		match("e.sequence IN (SELECT sequence FROM events INDEXED BY events_pending WHERE status = 'pending')")
	default: // the second condition leads to the index of the rare ones
		match("e.status = ? AND e.status IN ('parked', 'failed', 'quarantined')", string(f.Status))
	}
	order := " ORDER BY e.sequence LIMIT ?"
	if f.Newest {
		order = " ORDER BY e.sequence DESC LIMIT ?"
	}
	events, err := queryEvents(ctx, s.readers, "SELECT "+eventColumns+eventTables+"WHERE "+
		strings.Join(where, " AND ")+order, append(args, limit)...)
	if f.Newest {
		slices.Reverse(events)
	}
	return events, err
}

// subjectNumbers finds a subject by its ID, or else all that have a name.
func (s *Store) subjectNumbers(ctx context.Context, id string) (numbers []any, err error) {
	for _, query := range []string{
		"SELECT number FROM subjects WHERE id = ?",
		"SELECT number FROM subjects WHERE name = ? AND name <> id ORDER BY number DESC",
	} {
		rows, err := s.readers.QueryContext(ctx, query, id)
		if err != nil {
			return nil, err
		}
		err = eachRow(rows, func(rows *sql.Rows) error {
			var number int64
			err := rows.Scan(&number)
			numbers = append(numbers, number)
			return err
		})
		if err != nil || len(numbers) > 0 {
			return numbers, err
		}
	}
	return nil, nil
}
