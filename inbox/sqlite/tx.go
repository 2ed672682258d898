package sqlite

import (
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// tx is a transaction of the writer's. It keeps the subject rows it has touched
// and writes each back once, however many operations of the batch were about it.
//
// An operation must decide whether it refuses before it changes a row.
type tx struct {
	w      *writer
	rows   map[string]*keptRow
	epoch  int64
	totals totals
	broken error // by a statement that failed; nothing of the transaction may stay
}

type keptRow struct {
	row    row.Row
	stored row.Row // as the database has it
}

func newTx(w *writer) *tx {
	return &tx{w: w, rows: map[string]*keptRow{}, epoch: w.epoch}
}

func (t *tx) check(err error) error {
	if err != nil && t.broken == nil {
		t.broken = err
	}
	return err
}

// exec runs a statement. The writer's statements are not tied to a caller's
// context: one caller must not interrupt another one's commit.
func (t *tx) exec(query string, args ...any) error { return t.check(t.w.conn.exec(query, args...)) }

// changed runs a statement and tells how many rows it changed.
func (t *tx) changed(query string, args ...any) (int, error) {
	err := t.exec(query, args...)
	return int(t.w.conn.raw.Changes()), err
}

// inserted runs an insert and returns the row's number.
func (t *tx) inserted(query string, args ...any) (int64, error) {
	err := t.exec(query, args...)
	return t.w.conn.raw.LastInsertRowID(), err
}

// first hands a query's first row to read and tells whether there is one.
func (t *tx) first(query string, args []any, read func(columns)) (bool, error) {
	found, err := t.w.conn.first(query, args, read)
	return found, t.check(err)
}

// all hands every row of a query to each.
func (t *tx) all(query string, args []any, each func(columns) error) error {
	return t.check(t.w.conn.query(query, args, each))
}

// flush writes back the rows and the epoch. What reads or changes the table of
// subjects by a statement of its own calls it first.
func (t *tx) flush() error {
	for _, kept := range t.rows {
		if err := t.save(kept); err != nil {
			return err
		}
	}
	if t.epoch == t.w.epoch {
		return nil
	}
	return t.exec("UPDATE counters SET value = ? WHERE name = 'epoch'", t.epoch)
}

// forget drops the kept rows after a flush, so that the next use reads them again.
func (t *tx) forget() { clear(t.rows) }

func (t *tx) nextEpoch() int64 {
	t.epoch++
	return t.epoch
}
