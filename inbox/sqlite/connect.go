package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"

	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"; doc.go says why this one
)

// connect opens a database for writing, with a single connection.
func connect(ctx context.Context, path string) (*sql.DB, error) {
	if err := createLog(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", dataSource(path,
		"journal_mode(WAL)",
		"synchronous(FULL)", // an fsync of the log with every commit
		"cache_size(-32768)",
		// 16 MiB of log between checkpoints: the default of 4 makes a busy writer
		// copy the same pages four times as often.
		"wal_autocheckpoint(4096)",
		"journal_size_limit(67108864)",
		"temp_store(MEMORY)",
	))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	if err == nil && mode != "wal" {
		err = fmt.Errorf("journal mode is %q, not \"wal\": put the inbox on a local disk", mode)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// createLog makes the log and its index as private as the database is: the driver
// would make them readable by others.
func createLog(path string) error {
	for _, suffix := range []string{"-wal", "-shm"} {
		f, err := os.OpenFile(path+suffix, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // beside the database
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func openReaders(path string, connections int) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", dataSource(path, "query_only(1)", "cache_size(-8192)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

func dataSource(path string, pragmas ...string) string {
	// The only other connection that ever blocks one is a checkpoint's or a
	// recovery's, for moments.
	values := url.Values{"_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: values.Encode()}
	return u.String()
}
