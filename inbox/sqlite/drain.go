package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
)

// reads are the statements of the reads that are made all the time.
type reads struct{ own, next, rung *sql.Stmt }

func (r *reads) prepare(ctx context.Context, db *sql.DB) (err error) {
	if r.own, err = db.PrepareContext(ctx, "SELECT epoch FROM subjects WHERE id = ?"); err != nil {
		return err
	}
	r.next, err = db.PrepareContext(ctx, "SELECT "+eventColumns+`, p.content_type, p.body
		FROM subjects s JOIN events e ON e.subject = s.number JOIN payloads p ON p.id = e.payload
		WHERE s.id = ? AND e.status = 'pending' ORDER BY e.sequence LIMIT ?`)
	if err != nil {
		return err
	}
	r.rung, err = db.PrepareContext(ctx, rungSQL)
	return err
}

func (r *reads) close() {
	for _, statement := range []*sql.Stmt{r.own, r.next, r.rung} {
		if statement != nil {
			_ = statement.Close()
		}
	}
}

// Own returns nil if the epoch is still the subject's, else inbox.ErrFenced.
func (s *Store) Own(ctx context.Context, subject string, epoch int64) error {
	var owner int64
	err := s.reads.own.QueryRowContext(ctx, subject).Scan(&owner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return inbox.ErrFenced
	case err != nil:
		return fmt.Errorf("read the owner of a subject: %w", err)
	case epoch <= 0 || owner != epoch:
		return inbox.ErrFenced
	default:
		return nil
	}
}

// Next returns a subject's first pending events. Its snapshot begins with the
// call, so every settlement that had been answered before is seen.
func (s *Store) Next(ctx context.Context, subject string, limit, maxBytes int) ([]inbox.Entry, error) {
	rows, err := s.reads.next.QueryContext(ctx, subject, limit)
	if err != nil {
		return nil, fmt.Errorf("read the next events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var entries []inbox.Entry
	for bytes := 0; bytes <= maxBytes && rows.Next(); {
		var scanned scannedEvent
		var payload inbox.Payload
		if err := rows.Scan(append(scanned.fields(), &payload.ContentType, &payload.Body)...); err != nil {
			return nil, fmt.Errorf("read the next events: %w", err)
		}
		event, err := scanned.read()
		if err != nil {
			return nil, err
		}
		entries = append(entries, inbox.Entry{Event: event, Payload: payload})
		bytes += len(payload.Body)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the next events: %w", err)
	}
	return entries, nil
}
