package sqlite

import "github.com/holdfast-project/holdfast/inbox/internal/row"

const rowColumns = `s.id, s.number, s.name, s.source, s.pending, s.epoch,
	s.held, s.held_since, s.held_until, s.held_by, s.held_reason,
	s.streak, s.spent, s.holds, s.next_wake, s.last_error, s.failed_at, s.sweep_at,
	s.busy_run, s.busy_since, s.busy_until`

// readRow reads the rowColumns. The id, if it is known, need not be read.
func readRow(c columns, id string) (r row.Row) {
	r.ID = c.one(id)
	r.Number, r.Name, r.Source, r.Pending, r.Epoch = c.int64(), c.one(r.ID), c.text(), c.int(), c.int64()
	r.Held, r.HeldSince, r.HeldUntil, r.HeldBy, r.HeldReason = c.bool(), c.time(), c.time(), c.text(), c.text()
	r.Streak, r.Spent, r.Holds, r.NextWake, r.LastError, r.FailedAt = c.int(), c.int64(), c.int(), c.time(), c.text(), c.time()
	r.SweepAt, r.BusyRun, r.BusySince, r.BusyUntil = c.time(), c.text(), c.time(), c.time()
	return r
}

// subject returns the row of a subject, nil if there is none. The caller may
// change it once it has decided not to refuse.
func (t *tx) subject(id string) (*row.Row, error) {
	if kept := t.w.rows.get(id); kept != nil {
		return t.use(kept), nil
	}
	kept := &keptRow{}
	found, err := t.first("SELECT "+rowColumns+" FROM subjects s WHERE s.id = ?", []any{id}, func(c columns) {
		kept.stored = readRow(c, id)
	})
	if err != nil || !found {
		return nil, err
	}
	kept.row = kept.stored
	return t.keep(kept), nil
}

// subjectOrNew is subject, but makes the row if there is none. It is stored with what
// the transaction makes of it.
func (t *tx) subjectOrNew(id, name, source string) (*row.Row, error) {
	r, err := t.subject(id)
	if err != nil || r != nil {
		return r, err
	}
	if name == "" {
		name = id
	}
	t.last.subject++
	kept := &keptRow{row: row.Row{Number: t.last.subject, ID: id, Name: name, Source: source}}
	t.fresh = append(t.fresh, kept)
	return t.keep(kept), nil
}

func (t *tx) keep(kept *keptRow) *row.Row {
	t.w.rows.put(kept)
	return t.use(kept)
}

func (t *tx) use(kept *keptRow) *row.Row {
	if kept.used != t.number {
		kept.used = t.number
		t.used = append(t.used, kept)
	}
	return &kept.row
}

func (t *tx) saveOne(kept *keptRow) error {
	r, old := kept.row, kept.stored
	if r == old {
		return nil
	}
	if old.Number == 0 {
		old = row.Row{Number: r.Number, ID: r.ID, Name: r.Name, Source: r.Source, Pending: r.Pending, SweepAt: r.SweepAt}
		err := t.exec("INSERT INTO subjects (number, id, name, source, pending, waits, sweep_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			r.Number, r.ID, r.Name, r.Source, r.Pending, waits(r), r.SweepAt)
		if err != nil {
			return err
		}
	}
	if err := t.update(r, old); err != nil {
		return err
	}
	t.totals.moved(kept.stored, r)
	kept.stored = r
	return nil
}

// waits is what the column of that name says of a row: 1 while anything is pending.
func waits(r row.Row) bool { return r.Pending > 0 }

// updateThinSQL is what nearly every batch does: no index is touched.
const updateThinSQL = `UPDATE subjects SET pending = ?, epoch = ?, busy_run = ?, busy_since = ?, busy_until = ? WHERE number = ?`

// update stores a row that the database has as old.
func (t *tx) update(r, old row.Row) error {
	if r == old {
		return nil
	}
	thin := old
	thin.Pending, thin.Epoch, thin.SweepAt = r.Pending, r.Epoch, r.SweepAt
	thin.BusyRun, thin.BusySince, thin.BusyUntil = r.BusyRun, r.BusySince, r.BusyUntil
	switch { // SQLite writes an index if one of its columns is named here
	case r == thin && r.SweepAt == old.SweepAt && waits(r) == waits(old):
		return t.exec(updateThinSQL, r.Pending, r.Epoch, r.BusyRun, r.BusySince, r.BusyUntil, r.Number)
	case r == thin:
		return t.exec(`UPDATE subjects SET pending = ?, waits = ?, epoch = ?, sweep_at = ?,
			busy_run = ?, busy_since = ?, busy_until = ? WHERE number = ?`,
			r.Pending, waits(r), r.Epoch, r.SweepAt, r.BusyRun, r.BusySince, r.BusyUntil, r.Number)
	}
	return t.exec(`UPDATE subjects SET pending = ?, waits = ?, epoch = ?, held = ?, held_since = ?, held_until = ?,
		held_by = ?, held_reason = ?, streak = ?, spent = ?, holds = ?, next_wake = ?, last_error = ?,
		failed_at = ?, sweep_at = ?, busy_run = ?, busy_since = ?, busy_until = ? WHERE number = ?`,
		r.Pending, waits(r), r.Epoch, r.Held, r.HeldSince, r.HeldUntil, r.HeldBy, r.HeldReason, r.Streak, r.Spent,
		r.Holds, r.NextWake, r.LastError, r.FailedAt, r.SweepAt, r.BusyRun, r.BusySince, r.BusyUntil, r.Number)
}
