package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/holdfast-project/holdfast/inbox"
)

// writer is the one connection that writes, and what is known of the database
// because nobody else does.
type writer struct {
	path       string
	conn       *conn // nil: to be opened again
	rows       rowCache
	begun      int64 // transactions
	last       numbers
	oldKeys    bool  // some keys are where they were before they were found by a number
	version    int64 // of the database: another one when another connection has written
	commits    atomic.Int64
	operations atomic.Int64
	stopped    chan struct{}

	mu     sync.Mutex
	totals totals
}

// commitError wraps an error after which nobody can tell what the disk holds: the
// batch is not tried again.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

func openWriter(ctx context.Context, path string) (*writer, error) {
	w := &writer{path: path, rows: newRowCache(), stopped: make(chan struct{})}
	var err error
	if w.conn, err = connect(ctx, path); err != nil {
		return nil, err
	}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// start reads what the writer knows by heart.
func (w *writer) start(ctx context.Context) error {
	defer w.conn.raw.SetInterrupt(w.conn.raw.SetInterrupt(ctx))
	_, err := w.conn.first(`SELECT (SELECT value FROM counters WHERE name = 'epoch'), (SELECT coalesce(max(number), 0) FROM subjects),
		EXISTS (SELECT 1 FROM keys)`,
		nil, func(c columns) { w.last, w.oldKeys = numbers{epoch: c.int64(), subject: c.int64()}, c.bool() })
	if err != nil {
		return err
	}
	w.totals, err = countTotals(w.conn)
	return err
}

// close gives the connection up; the next batch opens another one.
func (w *writer) close() error {
	if w.conn == nil {
		return nil
	}
	err := w.conn.close()
	w.conn = nil
	return err
}

// work is the goroutine that makes every change.
func (s *Store) work() {
	defer close(s.writer.stopped)
	for batch := s.collect(); batch != nil; batch = s.collect() {
		done, results := s.writer.commit(batch)
		s.gathering.expect(len(done))
		for i, o := range done {
			o.finish(results[i])
		}
	}
}

// commit runs a batch in one transaction and returns who is to be told what. If one
// of them breaks the transaction, each gets its own, so that only the culprit fails;
// they have been told then, one by one, for that can be as many commits as callers.
func (w *writer) commit(batch []*operation) (live []*operation, results []error) {
	live = batch[:0]
	for _, o := range batch {
		switch {
		case !o.begin():
		case o.ctx.Err() != nil:
			o.finish(o.ctx.Err())
		default:
			live = append(live, o)
		}
	}
	if len(live) == 0 {
		return nil, nil
	}
	results, err := w.transact(live)
	var fatal commitError
	switch {
	case err == nil:
		return live, results
	case len(live) == 1 || errors.As(err, &fatal):
		return live, slices.Repeat([]error{writeError(err)}, len(live))
	}
	for i, o := range live {
		alone, err := w.transact(live[i : i+1])
		if err != nil {
			alone = []error{writeError(err)}
		}
		o.finish(alone[0])
	}
	return nil, nil
}

func writeError(err error) error { return fmt.Errorf("write to the inbox: %w", err) }

// transact runs operations and commits. Its error means that nothing of them is
// kept; an operation's own refusal is in its result and disturbs nobody.
func (w *writer) transact(batch []*operation) ([]error, error) {
	if w.conn == nil {
		var err error
		if w.conn, err = connect(context.Background(), w.path); err != nil {
			return nil, commitError{err}
		}
	}
	t := newTx(w)
	if err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, w.abort(commitError{err})
	}
	if err := w.lookAround(); err != nil {
		return nil, w.abort(commitError{err})
	}
	results := make([]error, len(batch))
	for i, o := range batch {
		results[i] = o.run(t)
		if t.broken != nil {
			return nil, w.abort(t.broken)
		}
	}
	if err := t.flush(); err != nil {
		return nil, w.abort(err)
	}
	if err := w.conn.commit(); err != nil {
		return nil, w.abort(commitError{err})
	}
	w.committed(t, len(batch))
	return results, nil
}

// lookAround forgets the rows if another connection has written since the last
// transaction: an operator's hand with the sqlite3 command, for no other one does.
func (w *writer) lookAround() error {
	var version int64
	_, err := w.conn.first("PRAGMA data_version", nil, func(c columns) { version = c.int64() })
	if version != w.version {
		w.rows.forget()
		w.version = version
	}
	return err
}

// abort takes back what was begun. A connection that could not begin, commit or
// roll back is given up, so that the next batch starts afresh on a disk that may
// have recovered.
func (w *writer) abort(cause error) error {
	w.rows.forget() // some have changes that are taken back
	err := w.conn.script("ROLLBACK")
	if err != nil {
		// SQLite has rolled back by itself, as it does on a full disk, or cannot:
		// then a transaction is still open, and another one cannot begin.
		err = w.conn.script("BEGIN; ROLLBACK")
	}
	var fatal commitError
	if err != nil || errors.As(cause, &fatal) {
		_ = w.close()
	}
	return cause
}

func (w *writer) committed(t *tx, operations int) {
	w.last = t.last
	w.rows.age()
	w.commits.Add(1)
	w.operations.Add(int64(operations))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.totals.add(t.totals)
}

func (w *writer) counts() inbox.Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.totals.counts()
}
