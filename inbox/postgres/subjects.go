package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Each state has an index that holds only its subjects: listing the few that are
// in trouble never reads the many that are idle.
var statesWhere = map[inbox.State]string{
	"": `s.number IN (SELECT number FROM subjects WHERE queued
		UNION SELECT number FROM subjects WHERE held)`,
	inbox.StateHeld:     "s.held",
	inbox.StateRetrying: "s.streak > 0 AND s.queued AND NOT s.held",
	inbox.StatePending:  "s.queued AND s.streak = 0 AND NOT s.held",
}

// Subject finds a subject by its ID, or else by its name, or returns
// inbox.ErrNotFound. Of several with one name it is the newest.
func (s *Store) Subject(ctx context.Context, id string) (inbox.SubjectView, error) {
	return read(ctx, s, "read a subject", func(ctx context.Context, conn *pgx.Conn) (inbox.SubjectView, error) {
		numbers, err := subjectNumbers(ctx, conn, id)
		if err != nil {
			return inbox.SubjectView{}, err
		}
		if len(numbers) > 0 {
			views, err := readViews(ctx, conn, "s.number = $1", numbers[0])
			if err != nil || len(views) > 0 {
				return append(views, inbox.SubjectView{})[0], err
			}
		}
		return inbox.SubjectView{}, fmt.Errorf("subject %s: %w", id, inbox.ErrNotFound)
	})
}

// Subjects returns the subjects that match, in the order of their IDs.
func (s *Store) Subjects(ctx context.Context, f inbox.SubjectFilter) ([]inbox.SubjectView, error) {
	where, known := statesWhere[f.State]
	if !known {
		return nil, inbox.Refused("subjects cannot be listed by state %q: use pending, retrying or held", f.State)
	}
	return list(ctx, s, "list subjects", func(ctx context.Context, conn *pgx.Conn) ([]inbox.SubjectView, error) {
		return readViews(ctx, conn, where+" AND s.id > $1 ORDER BY s.id LIMIT $2",
			text(f.After), row.LimitOr(f.Limit, row.DefaultLimit))
	})
}

// readViews reads rows and their heads in one snapshot.
func readViews(ctx context.Context, conn *pgx.Conn, where string, args ...any) ([]inbox.SubjectView, error) {
	t, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }()
	rows, _ := t.Query(ctx, "SELECT "+rowColumns+" FROM subjects s WHERE "+where, args...)
	found, err := pgx.CollectRows(rows, scanRow)
	if err != nil {
		return nil, err
	}
	events, err := queryEvents(ctx, t, "SELECT "+eventColumns+` FROM unnest($1::bigint[]) AS n (number)
		JOIN subjects s ON s.number = n.number CROSS JOIN LATERAL (
			SELECT * FROM events e WHERE e.subject = s.number AND e.status = 'pending' ORDER BY e.sequence LIMIT 1) e`,
		column(found, func(r *row.Row) int64 { return r.Number }))
	if err != nil {
		return nil, err
	}
	heads := map[string]*inbox.Event{}
	for i := range events {
		heads[events[i].Subject] = &events[i]
	}
	views := make([]inbox.SubjectView, len(found))
	for i, r := range found {
		views[i] = inbox.SubjectView{Subject: r.Subject(), Head: heads[r.ID]}
	}
	return views, t.Commit(ctx)
}

// Audit returns what operators did to a subject, the newest first.
func (s *Store) Audit(ctx context.Context, subject string, limit int) ([]inbox.AuditEntry, error) {
	return list(ctx, s, "read the audit", func(ctx context.Context, conn *pgx.Conn) ([]inbox.AuditEntry, error) {
		rows, _ := conn.Query(ctx, `SELECT at, verb, subject, sequence, reason, by, until FROM audit
			WHERE subject = $1 ORDER BY id DESC LIMIT $2`, text(subject), row.LimitOr(limit, row.DefaultLimit))
		return pgx.CollectRows(rows, func(r pgx.CollectableRow) (e inbox.AuditEntry, err error) {
			var at, until stamp
			err = r.Scan(&at, (*text)(&e.Verb), (*text)(&e.Subject), &e.Sequence, (*text)(&e.Reason), (*text)(&e.By), &until)
			e.At, e.Until = at.time(), until.time()
			return e, err
		})
	})
}
