package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
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

const (
	nextName = "holdfast_next_1"
	nextSQL  = `SELECT sequence, event_id, source, provider, subject, type, key, at, received_at, "position", related, staging, status,
		attempts, reason, handler, settled_at, redo, replay_of, run_id, content_type, encoding, size, body FROM next_1($1, $2, $3)`
	nextColumns = 24
)

// Next returns a subject's first pending events. Its snapshot begins with the
// call, so every settlement that had been answered before is seen.
func (s *Store) Next(ctx context.Context, subject string, limit, maxBytes int) ([]inbox.Entry, error) {
	return read(ctx, s, "read the next events", func(ctx context.Context, conn *pgx.Conn) ([]inbox.Entry, error) {
		var args arguments
		args.text(subject)
		args.int8(int64(limit))
		args.int8(int64(maxBytes))
		rows, err := call(ctx, conn, nextName, nextSQL, &args)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		entries := make([]inbox.Entry, len(rows))
		for i, r := range rows {
			if entries[i], err = s.entry(r); err != nil {
				return nil, err
			}
		}
		return entries, nil
	})
}

// entry reads a row of nextSQL.
func (s *Store) entry(r [][]byte) (entry inbox.Entry, err error) {
	if len(r) != nextColumns {
		return entry, fmt.Errorf("%w: %d columns", errAnswer, len(r))
	}
	next := func() (c cell) {
		c, r = r[0], r[1:]
		return c
	}
	e := &entry.Event
	e.Sequence, e.EventID, e.Source, e.Provider = next().int64(), next().text(), next().text(), next().text()
	e.Subject, e.Type, e.Key = next().text(), next().text(), next().text()
	e.At, e.ReceivedAt, e.Index = next().time().Time(), next().time().Time(), int(next().int64())
	if e.Related, err = row.DecodeRelated(string(next())); err != nil {
		return entry, fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	e.Staging, e.Status, e.Attempts = next().bool(), inbox.Status(next()), int(next().int64())
	e.Reason, e.Handler, e.SettledAt = next().text(), next().text(), next().time().Time()
	e.Redo, e.ReplayOf, e.Run = int(next().int64()), next().int64(), next().text()
	entry.Payload, err = s.payload(storedBody{text(next().text()), next().int16(), next().int64(), next()})
	return entry, err
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
