package sqlite

import (
	"context"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Each state has an index that holds only its subjects: listing the few that are
// in trouble never reads the many that are idle.
var statesWhere = map[inbox.State]string{
	"": `s.number IN (SELECT number FROM subjects INDEXED BY subjects_to_sweep WHERE waits = 1
		UNION SELECT number FROM subjects INDEXED BY subjects_held WHERE held = 1)`,
	inbox.StateHeld: "s.number IN (SELECT number FROM subjects INDEXED BY subjects_held WHERE held = 1)",
	inbox.StateRetrying: `s.number IN (SELECT number FROM subjects INDEXED BY subjects_retrying WHERE streak > 0)
		AND s.pending > 0 AND s.held = 0`,
	inbox.StatePending: `s.number IN (SELECT number FROM subjects INDEXED BY subjects_to_sweep WHERE waits = 1)
		AND s.streak = 0 AND s.held = 0`,
}

// Subject finds a subject by its ID, or else by its name, or returns
// inbox.ErrNotFound. Of several with one name it is the newest.
func (s *Store) Subject(ctx context.Context, id string) (inbox.SubjectView, error) {
	numbers, err := s.subjectNumbers(ctx, id)
	if err != nil {
		return inbox.SubjectView{}, fmt.Errorf("find a subject: %w", err)
	}
	if len(numbers) == 0 {
		return inbox.SubjectView{}, fmt.Errorf("subject %s: %w", id, inbox.ErrNotFound)
	}
	views, err := s.views(ctx, "s.number = ?", numbers[0])
	if err != nil {
		return inbox.SubjectView{}, fmt.Errorf("read a subject: %w", err)
	}
	if len(views) == 0 {
		return inbox.SubjectView{}, fmt.Errorf("subject %s: %w", id, inbox.ErrNotFound)
	}
	return views[0], nil
}

// Subjects returns the subjects that match, in the order of their IDs.
func (s *Store) Subjects(ctx context.Context, f inbox.SubjectFilter) ([]inbox.SubjectView, error) {
	where, known := statesWhere[f.State]
	if !known {
		return nil, inbox.Refused("subjects cannot be listed by state %q: use pending, retrying or held", f.State)
	}
	views, err := s.views(ctx, where+" AND s.id > ? ORDER BY s.id LIMIT ?", f.After, row.LimitOr(f.Limit, row.DefaultLimit))
	if err != nil {
		return nil, fmt.Errorf("list subjects: %w", err)
	}
	return views, nil
}

// views reads rows and their heads in one snapshot.
func (s *Store) views(ctx context.Context, where string, args ...any) ([]inbox.SubjectView, error) {
	var views []inbox.SubjectView
	err := s.read(ctx, func(c *conn) error {
		return c.snapshot(func() error {
			var found []row.Row
			err := c.queryOnce("SELECT "+rowColumns+" FROM subjects s WHERE "+where, args, func(c columns) error {
				found = append(found, readRow(c, ""))
				return nil
			})
			if err != nil {
				return err
			}
			views, err = viewsOf(c, found)
			return err
		})
	})
	return views, err
}

func viewsOf(c *conn, rows []row.Row) ([]inbox.SubjectView, error) {
	views := make([]inbox.SubjectView, len(rows))
	for i, r := range rows {
		views[i].Subject = r.Subject()
		if r.Pending == 0 {
			continue
		}
		var heads []inbox.Event
		if err := c.query(headOfSubject, []any{r.Number}, readEvents(&heads)); err != nil {
			return nil, err
		}
		if len(heads) > 0 {
			views[i].Head = &heads[0]
		}
	}
	return views, nil
}

// Audit returns what operators did to a subject, the newest first.
func (s *Store) Audit(ctx context.Context, subject string, limit int) ([]inbox.AuditEntry, error) {
	var entries []inbox.AuditEntry
	err := s.read(ctx, func(c *conn) error {
		return c.query(`SELECT at, verb, subject, sequence, reason, by, until FROM audit
			WHERE subject = ? ORDER BY id DESC LIMIT ?`, []any{subject, row.LimitOr(limit, row.DefaultLimit)}, func(c columns) error {
			entries = append(entries, inbox.AuditEntry{
				At: c.time().Time(), Verb: c.text(), Subject: c.text(), Sequence: c.int64(),
				Reason: c.text(), By: c.text(), Until: c.time().Time(),
			})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return entries, nil
}
