package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Event returns one event, or inbox.ErrNotFound.
func (s *Store) Event(ctx context.Context, sequence int64) (inbox.Event, error) {
	return read(ctx, s, "read an event", func(ctx context.Context, conn *pgx.Conn) (inbox.Event, error) {
		return queryEvent(ctx, conn, sequence)
	})
}

// Payload returns the body that brought an event, or inbox.ErrNotFound.
func (s *Store) Payload(ctx context.Context, sequence int64) (inbox.Payload, error) {
	return read(ctx, s, "read a payload", func(ctx context.Context, conn *pgx.Conn) (inbox.Payload, error) {
		var stored storedBody
		err := conn.QueryRow(ctx, `SELECT p.content_type, p.encoding, p.size, p.body FROM events e
			JOIN payloads p ON p.id = e.payload WHERE e.sequence = $1`, sequence).Scan(stored.fields()...)
		if errors.Is(err, pgx.ErrNoRows) {
			return inbox.Payload{}, fmt.Errorf("event %d: %w", sequence, inbox.ErrNotFound)
		}
		if err != nil {
			return inbox.Payload{}, err
		}
		return s.payload(stored)
	})
}

// Events returns the events that match, in sequence order.
func (s *Store) Events(ctx context.Context, f inbox.EventFilter) ([]inbox.Event, error) {
	return s.events(ctx, f, row.LimitOr(f.Limit, row.DefaultLimit))
}

func (s *Store) events(ctx context.Context, f inbox.EventFilter, limit int) ([]inbox.Event, error) {
	return list(ctx, s, "list events", func(ctx context.Context, conn *pgx.Conn) ([]inbox.Event, error) {
		var numbers []int64
		if f.Subject != "" {
			var err error
			if numbers, err = subjectNumbers(ctx, conn, f.Subject); err != nil || len(numbers) == 0 {
				return nil, err
			}
		}
		query, args := eventsQuery(f, numbers, limit)
		events, err := queryEvents(ctx, conn, query, args...)
		if f.Newest {
			slices.Reverse(events)
		}
		return events, err
	})
}

// eventsQuery selects events of some subjects, or of all if there are none.
func eventsQuery(f inbox.EventFilter, numbers []int64, limit int) (query string, args []any) {
	var where []string
	match := func(condition string, value any) {
		args = append(args, value)
		where = append(where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	match("e.sequence > ?", f.After)
	if f.Before != 0 {
		match("e.sequence < ?", f.Before)
	}
	if f.Source != "" {
		match("e.source = ?", text(f.Source))
	}
	if f.Type != "" {
		match("e.type = ?", text(f.Type))
	}
	if !f.From.IsZero() {
		match("e.received_at >= ?", stampOf(f.From))
	}
	if !f.To.IsZero() {
		match("e.received_at < ?", stampOf(f.To))
	}
	with := ""
	switch f.Status {
	case "":
	case inbox.StatusDelivered: // nearly all are: no index would help
		match("e.status = ?", string(f.Status))
	case inbox.StatusPending: // by the index that has only them
		with = "WITH waiting AS MATERIALIZED (SELECT sequence FROM events WHERE status = 'pending') "
		where = append(where, "e.sequence IN (SELECT sequence FROM waiting)")
	default: // the second condition leads to the index of the rare ones
		match("e.status = ? AND e.status IN ('parked', 'failed', 'quarantined')", string(f.Status))
	}
	order := "e.sequence"
	if f.Newest {
		order = "e.sequence DESC"
	}
	args = append(args, limit)
	page := fmt.Sprintf("SELECT e.* FROM events e WHERE %s ORDER BY %s LIMIT $%d", strings.Join(where, " AND "), order, len(args))
	if numbers != nil { // each subject's events are in order in the index
		args = append(args, numbers)
		page = fmt.Sprintf("SELECT e.* FROM unnest($%d::bigint[]) AS n (number) CROSS JOIN LATERAL (%s) e ORDER BY %s LIMIT $%d",
			len(args), strings.Replace(page, "WHERE ", "WHERE e.subject = n.number AND ", 1), order, len(args)-1)
	}
	return with + "SELECT " + eventColumns + " FROM (" + page + ") e LEFT JOIN subjects s ON s.number = e.subject ORDER BY " + order, args
}

// subjectNumbers finds a subject by its ID, or else all that have a name.
func subjectNumbers(ctx context.Context, conn *pgx.Conn, id string) (numbers []int64, err error) {
	for _, query := range []string{
		"SELECT number FROM subjects WHERE id = $1",
		"SELECT number FROM subjects WHERE name = $1 AND name <> id ORDER BY number DESC",
	} {
		rows, _ := conn.Query(ctx, query, text(id))
		numbers, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil || len(numbers) > 0 {
			return numbers, err
		}
	}
	return nil, nil
}
