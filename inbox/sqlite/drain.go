package sqlite

import (
	"context"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
)

// Own returns nil if the epoch is still the subject's, else inbox.ErrFenced.
func (s *Store) Own(ctx context.Context, subject string, epoch int64) error {
	var owner int64 // 0: nobody
	err := s.read(ctx, func(c *conn) error {
		_, err := c.first("SELECT epoch FROM subjects WHERE id = ?", []any{subject}, func(c columns) { owner = c.int64() })
		return err
	})
	if err != nil {
		return fmt.Errorf("read the owner of a subject: %w", err)
	}
	if epoch <= 0 || owner != epoch {
		return inbox.ErrFenced
	}
	return nil
}

// Next returns a subject's first pending events. Its snapshot begins with the
// call, so every settlement that had been answered before is seen.
func (s *Store) Next(ctx context.Context, subject string, limit, maxBytes int) ([]inbox.Entry, error) {
	var entries []inbox.Entry
	err := s.read(ctx, func(c *conn) error {
		return c.query("SELECT "+eventColumns+`, p.content_type, p.body
			FROM subjects s JOIN events e ON e.subject = s.number JOIN payloads p ON p.id = e.payload
			WHERE s.id = ? AND e.status = 'pending' ORDER BY e.sequence LIMIT ?`, []any{subject, limit}, func(c columns) error {
			event, err := readEvent(&c, subject)
			if err != nil {
				return err
			}
			payload := inbox.Payload{ContentType: c.text(), Body: c.body()}
			entries = append(entries, inbox.Entry{Event: event, Payload: payload})
			if maxBytes -= len(payload.Body); maxBytes < 0 {
				return errEnough
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the next events: %w", err)
	}
	return entries, nil
}
