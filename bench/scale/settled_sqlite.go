package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// sqliteWriter is as fast as SQLite allows, to whom the driver gives 256 MB at most: a
// file that is left half filled is of no use to anybody.
type sqliteWriter struct{ conn *sqlite3.Conn }

func openSQLiteWriter(ctx context.Context, file string) (writer, error) {
	conn, err := sqlite3.OpenContext(ctx, "file:"+file)
	if err != nil {
		return nil, err
	}
	err = conn.Exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -131072`)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &sqliteWriter{conn}, nil
}

func (w *sqliteWriter) count(context.Context) (n int, err error) {
	s, _, err := w.conn.Prepare("SELECT count(*) FROM events")
	if err != nil {
		return 0, err
	}
	if s.Step() {
		n = s.ColumnInt(0)
	}
	return n, s.Close()
}

func (w *sqliteWriter) write(ctx context.Context, tables []table) error {
	if err := w.conn.Exec("BEGIN"); err != nil {
		return err
	}
	for _, t := range tables {
		switch t.name {
		case "keys":
			continue // SQLite has them in events
		case "events":
			t = withKeyHashes(t)
		}
		if err := w.insert(ctx, t); err != nil {
			return fmt.Errorf("fill %s: %w", t.name, err)
		}
	}
	return w.conn.Exec("COMMIT")
}

// withKeyHashes adds the number by which an event's key is found.
func withKeyHashes(events table) table {
	source, key := slices.Index(events.columns, "source"), slices.Index(events.columns, "key")
	hashed := events
	hashed.columns = append(slices.Clone(events.columns), "key_hash")
	hashed.row = func(i int) []any {
		row := events.row(i)
		return append(row, sqlite.KeyHash(row[source].(string), row[key].(string)))
	}
	return hashed
}

func (w *sqliteWriter) insert(ctx context.Context, t table) error {
	var places []int // of the columns that are here
	var columns []string
	for i, column := range t.columns {
		if t.name != "payloads" || !slices.Contains([]string{"encoding", "size"}, column) {
			places, columns = append(places, i), append(columns, column)
		}
	}
	s, _, err := w.conn.Prepare("INSERT INTO " + t.name + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")")
	if err != nil {
		return err
	}
	for i := 0; i < t.rows && err == nil; i++ {
		row := t.row(i)
		for at, place := range places {
			err = errors.Join(err, bind(s, at+1, row[place]))
		}
		err = errors.Join(err, s.Exec(), ctx.Err())
	}
	return errors.Join(err, s.Close())
}

func bind(s *sqlite3.Stmt, at int, value any) error {
	switch v := value.(type) {
	case int:
		return s.BindInt(at, v)
	case int64:
		return s.BindInt64(at, v)
	case bool:
		return s.BindBool(at, v)
	case string:
		return s.BindText(at, v)
	case []byte:
		return s.BindBlob(at, v)
	case time.Time:
		return s.BindInt64(at, v.UnixMicro())
	default:
		return fmt.Errorf("a %T has no place in a row", value)
	}
}

func (w *sqliteWriter) finish(_ context.Context, done settled) error {
	return w.conn.Exec(fmt.Sprintf("UPDATE counters SET value = max(value, %d) WHERE name = 'epoch'", done.events))
}

func (w *sqliteWriter) close(context.Context) error {
	return errors.Join(w.conn.Exec("PRAGMA journal_mode = WAL"), w.conn.Close())
}
