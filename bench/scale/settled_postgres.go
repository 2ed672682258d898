package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// postgresWriter copies rows.
type postgresWriter struct{ conn *pgx.Conn }

func openPostgresWriter(ctx context.Context, url string) (writer, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return &postgresWriter{conn}, nil
}

func (w *postgresWriter) count(ctx context.Context) (n int, err error) {
	err = w.conn.QueryRow(ctx, "SELECT count(*) FROM events").Scan(&n)
	return n, err
}

func (w *postgresWriter) write(ctx context.Context, tables []table) error {
	return pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
		for _, t := range tables {
			rows := pgx.CopyFromSlice(t.rows, func(i int) ([]any, error) { return t.row(i), nil })
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, rows); err != nil {
				return fmt.Errorf("fill %s: %w", t.name, err)
			}
		}
		return nil
	})
}

func (w *postgresWriter) finish(ctx context.Context, done settled) error {
	for _, statement := range []string{
		fmt.Sprintf(`SELECT setval('event_sequence', greatest(%[1]d, (SELECT last_value FROM event_sequence))),
			setval('epochs', greatest(%[1]d, (SELECT last_value FROM epochs))),
			setval(pg_get_serial_sequence('subjects', 'number'), (SELECT max(number) FROM subjects))`, done.events),
		"VACUUM ANALYZE", // what autovacuum does in years
		"CHECKPOINT",
	} {
		if _, err := w.conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (w *postgresWriter) close(ctx context.Context) error { return w.conn.Close(ctx) }
