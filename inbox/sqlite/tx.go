package sqlite

// tx is a transaction of the writer's. It writes each subject row it has used back
// once, however many operations of the batch were about it.
//
// An operation must decide whether it refuses before it changes a row.
type tx struct {
	w      *writer
	number int64      // of the transaction
	used   []*keptRow // these may have changed
	fresh  []*keptRow // and these the database may not have yet
	last   numbers
	totals totals
	broken error // by a statement that failed; nothing of the transaction may stay
}

// numbers are the last ones given.
type numbers struct{ epoch, subject int64 }

func newTx(w *writer) *tx {
	w.begun++
	return &tx{w: w, number: w.begun, last: w.last}
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
	if err := t.save(t.used); err != nil {
		return err
	}
	if t.last.epoch == t.w.last.epoch {
		return nil
	}
	return t.exec("UPDATE counters SET value = ? WHERE name = 'epoch'", t.last.epoch)
}

// flushFresh stores the subjects that are new. What joins their ids calls it first.
func (t *tx) flushFresh() error {
	fresh := t.fresh
	t.fresh = nil
	return t.save(fresh)
}

func (t *tx) save(rows []*keptRow) error {
	for _, kept := range rows {
		if err := t.saveOne(kept); err != nil {
			return err
		}
	}
	return nil
}

// forget drops the rows after a flush, so that the next use reads them again.
func (t *tx) forget() {
	t.used, t.fresh = nil, nil
	t.w.rows.forget()
}

func (t *tx) nextEpoch() int64 {
	t.last.epoch++
	return t.last.epoch
}
