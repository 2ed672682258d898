package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Operate carries out an operator's verb. The subject is named by its ID.
func (s *Store) Operate(ctx context.Context, v inbox.Verb) (inbox.SubjectView, error) {
	v, err := row.CheckVerb(v)
	if err != nil {
		return inbox.SubjectView{}, err
	}
	return transact(ctx, s, func(t *tx) (inbox.SubjectView, error) { return t.operate(v) })
}

func (t *tx) operate(v inbox.Verb) (inbox.SubjectView, error) {
	r, err := t.subject(v.Subject)
	if err != nil {
		return inbox.SubjectView{}, err
	}
	done, err := t.doneBefore(v)
	if err == nil && !done {
		err = t.carryOut(r, v)
	}
	if err != nil {
		return inbox.SubjectView{}, err
	}
	view := inbox.SubjectView{Subject: r.Subject()}
	head, err := t.headOf(r)
	if err == nil && head != 0 {
		var event inbox.Event
		event, err = queryEvent(t.ctx, t.conn, head)
		view.Head = &event
	}
	return view, err
}

func (t *tx) doneBefore(v inbox.Verb) (done bool, err error) {
	if v.RequestID == "" {
		return false, nil
	}
	err = t.conn.QueryRow(t.ctx, "SELECT EXISTS (SELECT 1 FROM audit WHERE subject = $1 AND request_id = lookup_1($2))",
		text(v.Subject), text(v.RequestID)).Scan(&done)
	return done, err
}

func (t *tx) carryOut(r *row.Row, v inbox.Verb) error {
	if err := r.Operate(v, func() (row.Parking, error) { return t.parking(r, v.Sequence) }); err != nil {
		return err
	}
	if v.Verb == inbox.VerbPark {
		_, err := t.conn.Exec(t.ctx, `UPDATE events SET status = 'parked', reason = $1, settled_at = $2,
			epoch = 0, run_id = NULL, original_run_id = NULL WHERE sequence = $3`,
			text(row.ParkReason(v)), stampOf(v.Now), v.Sequence)
		if err != nil {
			return err
		}
	}
	return t.audit(v.RequestID, []inbox.AuditEntry{row.Audited(v)})
}

func (t *tx) parking(r *row.Row, sequence int64) (p row.Parking, err error) {
	err = t.conn.QueryRow(t.ctx, "SELECT e.status, coalesce(s.id, '')"+eventTables+"WHERE e.sequence = $1", sequence).
		Scan(&p.Status, (*text)(&p.Subject))
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.Found = true
	p.Head, err = t.headOf(r)
	return p, err
}

func (t *tx) audit(requestID string, all []inbox.AuditEntry) error {
	_, err := t.conn.Exec(t.ctx, `INSERT INTO audit (request_id, subject, verb, sequence, reason, by, until, at)
		SELECT lookup_1($1), x.* FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[],
			$7::timestamptz[], $8::timestamptz[]) AS x`,
		optional(requestID),
		column(all, func(e inbox.AuditEntry) text { return text(e.Subject) }),
		column(all, func(e inbox.AuditEntry) text { return text(e.Verb) }),
		column(all, func(e inbox.AuditEntry) int64 { return e.Sequence }),
		column(all, func(e inbox.AuditEntry) text { return text(e.Reason) }),
		column(all, func(e inbox.AuditEntry) text { return text(e.By) }),
		column(all, func(e inbox.AuditEntry) stamp { return stampOf(e.Until) }),
		column(all, func(e inbox.AuditEntry) stamp { return stampOf(e.At) }))
	return err
}
