package sqlite

import (
	"context"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Operate carries out an operator's verb. The subject is named by its ID.
func (s *Store) Operate(ctx context.Context, v inbox.Verb) (inbox.SubjectView, error) {
	v, err := row.CheckVerb(v)
	if err != nil {
		return inbox.SubjectView{}, err
	}
	return write(ctx, s, func(t *tx) (inbox.SubjectView, error) { return t.operate(v) })
}

func (t *tx) operate(v inbox.Verb) (inbox.SubjectView, error) {
	r, err := t.subject(v.Subject)
	if err != nil {
		return inbox.SubjectView{}, err
	}
	if r == nil {
		return inbox.SubjectView{}, fmt.Errorf("subject %s: %w", v.Subject, inbox.ErrNotFound)
	}
	done, err := t.doneBefore(v)
	if err != nil {
		return inbox.SubjectView{}, err
	}
	if !done {
		if err := t.carryOut(r, v); err != nil {
			return inbox.SubjectView{}, err
		}
	}
	view := inbox.SubjectView{Subject: r.Subject()}
	view.Head, err = t.head(r)
	return view, err
}

func (t *tx) doneBefore(v inbox.Verb) (bool, error) {
	if v.RequestID == "" {
		return false, nil
	}
	return t.first("SELECT 1 FROM audit WHERE subject = ? AND request_id = ?", []any{v.Subject, v.RequestID}, func(columns) {})
}

func (t *tx) carryOut(r *row.Row, v inbox.Verb) error {
	if err := r.Operate(v, func() (row.Parking, error) { return t.parking(r, v.Sequence) }); err != nil {
		return err
	}
	if v.Verb == inbox.VerbPark {
		err := t.exec(`UPDATE events SET status = 'parked', reason = ?, settled_at = ?,
			epoch = 0, run_id = NULL, original_run_id = NULL WHERE sequence = ?`,
			row.ParkReason(v), row.TimeOf(v.Now), v.Sequence)
		if err != nil {
			return err
		}
	}
	return t.audit(v.RequestID, row.Audited(v))
}

func (t *tx) parking(r *row.Row, sequence int64) (p row.Parking, err error) {
	if err := t.flushFresh(); err != nil {
		return p, err
	}
	p.Found, err = t.first("SELECT e.status, s.id"+eventTables+"WHERE e.sequence = ?",
		[]any{sequence}, func(c columns) { p.Status, p.Subject = c.status(), c.text() })
	if err == nil {
		p.Head, err = t.headOf(r)
	}
	return p, err
}

func (t *tx) audit(requestID string, e inbox.AuditEntry) error {
	return t.exec(`INSERT INTO audit (request_id, subject, verb, sequence, reason, by, until, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, nullable(requestID), e.Subject, e.Verb, e.Sequence, e.Reason, e.By,
		row.TimeOf(e.Until), row.TimeOf(e.At))
}
