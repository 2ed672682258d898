package sqlite

import (
	"context"
	"database/sql"
	"errors"

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

func (t *tx) statement(query string) (*sql.Stmt, error) {
	statement, err := t.w.prepared(query)
	return statement, t.check(err)
}

func (t *tx) check(err error) error {
	if err != nil && t.broken == nil {
		t.broken = err
	}
	return err
}

// exec runs a statement. The writer's statements are not tied to a caller's
// context: one caller must not interrupt another one's commit.
func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	statement, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	result, err := statement.ExecContext(context.Background(), args...)
	return result, t.check(err)
}

// changed runs a statement and tells how many rows it changed.
func (t *tx) changed(query string, args ...any) (int, error) {
	result, err := t.exec(query, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), t.check(err)
}

// inserted runs an insert and returns the row's number.
func (t *tx) inserted(query string, args ...any) (int64, error) {
	result, err := t.exec(query, args...)
	if err != nil {
		return 0, err
	}
	id, err := result.LastInsertId()
	return id, t.check(err)
}

// first scans a query's first row and tells whether there is one.
func (t *tx) first(query string, args []any, into ...any) (bool, error) {
	statement, err := t.statement(query)
	if err != nil {
		return false, err
	}
	err = statement.QueryRowContext(context.Background(), args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, t.check(err)
}

// all hands every row of a query to scan.
func (t *tx) all(query string, args []any, scan func(*sql.Rows) error) error {
	statement, err := t.statement(query)
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(context.Background(), args...)
	if err != nil {
		return t.check(err)
	}
	return t.check(eachRow(rows, scan))
}

func eachRow(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
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
	_, err := t.exec("UPDATE counters SET value = ? WHERE name = 'epoch'", t.epoch)
	return err
}

// forget drops the kept rows after a flush, so that the next use reads them again.
func (t *tx) forget() { clear(t.rows) }

func (t *tx) nextEpoch() int64 {
	t.epoch++
	return t.epoch
}
