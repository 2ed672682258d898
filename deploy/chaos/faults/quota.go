package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

// quotaLook is how soon a new connection of the inbox gets the quota too.
const quotaLook = 50 * time.Millisecond

// quota is a disk that is full for the inbox, and for nobody else: no process of
// PostgreSQL that works for its database may write beyond the first megabyte of a
// file. Extending a table or an index that has that size fails then as on a full disk,
// with another error number; the log, whose files are no larger, goes on. It takes no
// mount and no rights that a test machine may not give. A few events may still fit into
// what is free inside of the files.
type quota struct {
	server  interface{ URL(database string) string }
	conn    *pgx.Conn
	limit   uint64
	limited map[int]bool
	stop    context.CancelFunc
	stopped chan struct{}
	failed  error
}

func (q *quota) begin(ctx context.Context) (note string, err error) {
	if q.conn, err = pgx.Connect(ctx, q.server.URL("postgres")); err != nil {
		return "", err
	}
	var bytes int64
	if err := q.conn.QueryRow(ctx, "SELECT pg_size_bytes(current_setting('wal_segment_size'))").Scan(&bytes); err != nil {
		return "", errors.Join(err, q.conn.Close(ctx))
	}
	q.limit = uint64(bytes) //nolint:gosec // a size
	q.limited, q.stopped = map[int]bool{}, make(chan struct{})
	if err := q.look(ctx); err != nil {
		return "", errors.Join(err, q.conn.Close(ctx))
	}
	looking, stop := context.WithCancel(ctx)
	q.stop = stop
	go func() {
		defer close(q.stopped)
		for looking.Err() == nil && q.failed == nil {
			q.failed = q.look(looking)
			select {
			case <-looking.Done():
			case <-time.After(quotaLook):
			}
		}
	}()
	return fmt.Sprintf("no file over %d KiB", q.limit>>10), nil
}

// look limits the processes that are new.
func (q *quota) look(ctx context.Context) error {
	rows, err := q.conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE datname = $1", fleet.InboxDatabase)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	for _, pid := range pids {
		if q.limited[pid] {
			continue
		}
		if err := limitFileSize(context.WithoutCancel(ctx), pid, q.limit); err != nil {
			return ignoreEnd(ctx, err)
		}
		q.limited[pid] = true
	}
	return nil
}

// ignoreEnd drops an error that the end of the fault is the cause of.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// end gives room again.
func (q *quota) end(ctx context.Context) error {
	q.stop()
	<-q.stopped
	problems := []error{q.failed, q.conn.Close(context.WithoutCancel(ctx))}
	for pid := range q.limited {
		problems = append(problems, limitFileSize(context.WithoutCancel(ctx), pid, noLimit))
	}
	return errors.Join(problems...)
}
