package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
)

// read runs reads on a connection of their own. They never wait for a writer.
func read[T any](ctx context.Context, s *Store, what string, do func(context.Context, *pgx.Conn) (T, error)) (T, error) {
	var none T
	if err := enter(ctx, s.reading); err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { <-s.reading }()
	conn, err := s.conn(ctx)
	if err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	defer release(conn)
	result, err := do(ctx, conn.Conn())
	var refused *inbox.RefusedError
	switch {
	case err == nil:
		return result, nil
	case errors.As(err, &refused), errors.Is(err, inbox.ErrNotFound), errors.Is(err, inbox.ErrFenced):
		return none, err
	default:
		s.failed(err)
		return none, fmt.Errorf("%s: %w", what, err)
	}
}

// list runs reads that may take long: they leave connections to the others.
func list[T any](ctx context.Context, s *Store, what string, do func(context.Context, *pgx.Conn) (T, error)) (T, error) {
	if err := enter(ctx, s.operating); err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { <-s.operating }()
	return read(ctx, s, what, do)
}

// Own returns nil if the epoch is still the subject's, else inbox.ErrFenced.
func (s *Store) Own(ctx context.Context, subject string, epoch int64) error {
	_, err := read(ctx, s, "read the owner of a subject", func(ctx context.Context, conn *pgx.Conn) (int64, error) {
		var owner int64
		err := conn.QueryRow(ctx, "SELECT epoch FROM subjects WHERE id = $1", text(subject)).Scan(&owner)
		if errors.Is(err, pgx.ErrNoRows) || (err == nil && (epoch <= 0 || owner != epoch)) {
			return 0, inbox.ErrFenced
		}
		return owner, err
	})
	return err
}

const nextSQL = `SELECT sequence, event_id, source, provider, subject, type, key, at, received_at, "position", related, staging, status,
	attempts, reason, handler, settled_at, redo, replay_of, run_id, content_type, encoding, size, body FROM next_1($1, $2, $3)`

// Next returns a subject's first pending events. Its snapshot begins with the
// call, so every settlement that had been answered before is seen.
func (s *Store) Next(ctx context.Context, subject string, limit, maxBytes int) ([]inbox.Entry, error) {
	return read(ctx, s, "read the next events", func(ctx context.Context, conn *pgx.Conn) ([]inbox.Entry, error) {
		rows, _ := conn.Query(ctx, nextSQL, text(subject), int64(limit), int64(maxBytes))
		var entries []inbox.Entry
		_, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (none struct{}, err error) {
			entry, err := s.scanEntry(r)
			entries = append(entries, entry)
			return none, err
		})
		return entries, err
	})
}

// storedBody takes a payload's columns.
type storedBody struct {
	contentType text
	encoding    int16
	size        int64
	body        []byte
}

func (b *storedBody) fields() []any { return []any{&b.contentType, &b.encoding, &b.size, &b.body} }

func (s *Store) payload(b storedBody) (inbox.Payload, error) {
	body, err := s.codec.decode(b.encoding, b.size, b.body)
	return inbox.Payload{ContentType: string(b.contentType), Body: body}, err
}

func (s *Store) scanEntry(r pgx.CollectableRow) (inbox.Entry, error) {
	var scanned scannedEvent
	var stored storedBody
	if err := r.Scan(append(scanned.fields(), stored.fields()...)...); err != nil {
		return inbox.Entry{}, err
	}
	event, err := scanned.read()
	if err != nil {
		return inbox.Entry{}, err
	}
	payload, err := s.payload(stored)
	return inbox.Entry{Event: event, Payload: payload}, err
}
