package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/holdfast-project/holdfast/inbox"
)

// writer is the one connection that writes, and what is known of the database
// because nobody else does.
type writer struct {
	path       string
	db         *sql.DB
	conn       *sql.Conn // nil: to be opened again
	statements map[string]*sql.Stmt
	epoch      int64 // the last one given
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
	w := &writer{path: path, stopped: make(chan struct{})}
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	row := w.conn.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = 'epoch'")
	if err := row.Scan(&w.epoch); err != nil {
		return nil, errors.Join(err, w.close())
	}
	var err error
	if w.totals, err = countTotals(ctx, w.conn); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) connect(ctx context.Context) error {
	db, err := connect(ctx, w.path)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	w.db, w.conn, w.statements = db, conn, map[string]*sql.Stmt{}
	return nil
}

// close gives the connection up; the next batch opens another one.
func (w *writer) close() error {
	if w.conn == nil {
		return nil
	}
	var errs []error
	for _, statement := range w.statements {
		errs = append(errs, statement.Close())
	}
	errs = append(errs, w.conn.Close(), w.db.Close())
	w.db, w.conn, w.statements = nil, nil, nil
	return errors.Join(errs...)
}

func (w *writer) prepared(query string) (*sql.Stmt, error) {
	if statement := w.statements[query]; statement != nil {
		return statement, nil
	}
	statement, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	w.statements[query] = statement
	return statement, nil
}

// work is the goroutine that makes every change.
func (s *Store) work() {
	defer close(s.writer.stopped)
	for batch := s.collect(); batch != nil; batch = s.collect() {
		s.writer.commit(batch)
	}
}

// commit runs a batch in one transaction and answers its callers. If one of
// them breaks the transaction, each gets its own, so that only the culprit fails.
func (w *writer) commit(batch []*operation) {
	live := batch[:0]
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
		return
	}
	results, err := w.transact(live)
	var fatal commitError
	if err != nil && len(live) > 1 && !errors.As(err, &fatal) {
		for _, o := range live {
			results, err := w.transact([]*operation{o})
			answer([]*operation{o}, results, err)
		}
		return
	}
	answer(live, results, err)
}

func answer(batch []*operation, results []error, err error) {
	for i, o := range batch {
		if err != nil {
			o.finish(fmt.Errorf("write to the inbox: %w", err))
		} else {
			o.finish(results[i])
		}
	}
}

// transact runs operations and commits. Its error means that nothing of them is
// kept; an operation's own refusal is in its result and disturbs nobody.
func (w *writer) transact(batch []*operation) ([]error, error) {
	if w.conn == nil {
		if err := w.connect(context.Background()); err != nil {
			return nil, commitError{err}
		}
	}
	t := newTx(w)
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
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
	if _, err := t.exec("COMMIT"); err != nil {
		return nil, w.abort(commitError{err})
	}
	w.committed(t, len(batch))
	return results, nil
}

// abort takes back what was begun. A connection that could not begin, commit or
// roll back is given up, so that the next batch starts afresh on a disk that may
// have recovered.
func (w *writer) abort(cause error) error {
	_, err := w.conn.ExecContext(context.Background(), "ROLLBACK")
	if err != nil {
		// SQLite has rolled back by itself, as it does on a full disk, or cannot:
		// then a transaction is still open, and another one cannot begin.
		_, err = w.conn.ExecContext(context.Background(), "BEGIN; ROLLBACK")
	}
	var fatal commitError
	if err != nil || errors.As(cause, &fatal) {
		_ = w.close()
	}
	return cause
}

func (w *writer) committed(t *tx, operations int) {
	w.epoch = t.epoch
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
