package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Event returns one event, or inbox.ErrNotFound.
func (s *Store) Event(ctx context.Context, sequence int64) (inbox.Event, error) {
	var events []inbox.Event
	err := s.read(ctx, func(c *conn) error {
		return c.query("SELECT "+eventColumns+eventTables+"WHERE e.sequence = ?", []any{sequence}, readEvents(&events))
	})
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
	found := false
	err := s.read(ctx, func(c *conn) (err error) {
		found, err = c.first(`SELECT p.content_type, p.body FROM events e
			JOIN payloads p ON p.id = e.payload WHERE e.sequence = ?`, []any{sequence}, func(c columns) {
			p.ContentType, p.Body = c.text(), c.body()
		})
		return err
	})
	if err != nil {
		return p, fmt.Errorf("read the payload of event %d: %w", sequence, err)
	}
	if !found {
		return p, fmt.Errorf("event %d: %w", sequence, inbox.ErrNotFound)
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

// setAsideSQL finds the events of a rare status. Its second condition is that of their index.
const setAsideSQL = "e.status = ? AND (e.status = 'parked' OR e.status = 'failed' OR e.status = 'quarantined')"

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
		match("e.received_at >= ?", row.TimeOf(f.From))
	}
	if !f.To.IsZero() {
		match("e.received_at < ?", row.TimeOf(f.To))
	}
	switch f.Status {
	case "":
	case inbox.StatusDelivered: // nearly all are: no index would help
		match("e.status = ?", f.Status)
	case inbox.StatusPending:
		match("e.sequence IN (SELECT sequence FROM events INDEXED BY events_pending WHERE status = 'pending')")
	default:
		match(setAsideSQL, f.Status)
	}
	order := " ORDER BY e.sequence LIMIT ?"
	if f.Newest {
		order = " ORDER BY e.sequence DESC LIMIT ?"
	}
	var events []inbox.Event
	err := s.read(ctx, func(c *conn) error {
		return c.queryOnce("SELECT "+eventColumns+eventTables+"WHERE "+strings.Join(where, " AND ")+order,
			append(args, limit), readEvents(&events))
	})
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
		err := s.read(ctx, func(c *conn) error {
			return c.query(query, []any{id}, func(c columns) error {
				numbers = append(numbers, c.int64())
				return nil
			})
		})
		if err != nil || len(numbers) > 0 {
			return numbers, err
		}
	}
	return nil, nil
}
