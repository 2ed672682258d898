package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// tx is a transaction of one rare operation, which takes as many round trips as it
// needs. It keeps the rows it has locked and writes back those that have changed.
type tx struct {
	ctx  context.Context
	conn *pgxpool.Conn
	rows map[string]*keptRow
}

type keptRow struct{ row, stored row.Row }

// transact runs an operation in a transaction, again if others made the server take
// it back. If the operation refuses, nothing of it is done.
func transact[T any](ctx context.Context, s *Store, do func(*tx) (T, error)) (T, error) {
	for {
		result, err := transactOnce(ctx, s, do)
		if !isContention(err) || ctx.Err() != nil || !s.pause(alonePause) {
			return result, err
		}
	}
}

func transactOnce[T any](ctx context.Context, s *Store, do func(*tx) (T, error)) (result T, err error) {
	var none T
	select {
	case <-s.closing:
		return none, errClosed
	default:
	}
	if err := enter(ctx, s.operating); err != nil {
		return none, err
	}
	defer func() { <-s.operating }()
	conn, err := s.conn(ctx)
	if err != nil {
		return none, err
	}
	defer release(conn)
	t := &tx{ctx: ctx, conn: conn, rows: map[string]*keptRow{}}
	if _, err = conn.Exec(ctx, "BEGIN"); err == nil {
		result, err = do(t)
	}
	if err == nil {
		err = t.commit()
	}
	var refused *inbox.RefusedError
	switch {
	case err == nil:
		return result, nil
	case errors.As(err, &refused), errors.Is(err, inbox.ErrNotFound):
		return none, err
	default:
		s.failed(err)
		return none, fmt.Errorf("write to the inbox: %w", err)
	}
}

func (t *tx) commit() error {
	if err := t.save(); err != nil {
		return err
	}
	var b pgx.Batch
	queueCommit(&b)
	return t.conn.SendBatch(t.ctx, &b).Close()
}

// save writes back the rows that have changed.
func (t *tx) save() error {
	var changed []*row.Row
	for _, kept := range t.rows {
		if kept.row != kept.stored {
			changed = append(changed, &kept.row)
			kept.stored = kept.row
		}
	}
	if len(changed) == 0 {
		return nil
	}
	tag, err := t.conn.Exec(t.ctx, rowsUpdate, rowsUpdateArgs(changed)...)
	if err != nil {
		return err
	}
	return exactly(len(changed))(tag)
}

// lock locks rows in the one order that everybody keeps to. It is called once.
func (t *tx) lock(ids []string) error {
	rows, _ := t.conn.Query(t.ctx, lockRows, texts(ids))
	return t.keep(rows)
}

func (t *tx) keep(rows pgx.Rows) error {
	found, err := pgx.CollectRows(rows, scanRow)
	for _, r := range found {
		t.rows[r.ID] = &keptRow{row: *r, stored: *r}
	}
	return err
}

// subject locks a subject's row and returns it, to be changed, or inbox.ErrNotFound.
func (t *tx) subject(id string) (*row.Row, error) {
	if err := t.lock([]string{id}); err != nil {
		return nil, err
	}
	if kept := t.rows[id]; kept != nil {
		return &kept.row, nil
	}
	return nil, fmt.Errorf("subject %s: %w", id, inbox.ErrNotFound)
}

// headOf returns the sequence of a subject's first pending event, 0 if there is none.
func (t *tx) headOf(r *row.Row) (sequence int64, err error) {
	err = t.conn.QueryRow(t.ctx, `SELECT coalesce((SELECT sequence FROM events
		WHERE subject = $1 AND status = 'pending' ORDER BY sequence LIMIT 1), 0)`, r.Number).Scan(&sequence)
	return sequence, err
}
