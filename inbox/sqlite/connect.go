package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/ncruces/go-sqlite3/vfs"
)

// connect opens a database for writing.
func connect(ctx context.Context, path string) (*conn, error) {
	if err := createLog(path); err != nil {
		return nil, err
	}
	vfs.Register(logVFSName, logVFS{vfs.Find("")})
	c, err := openConn(ctx, dataSource(path, logVFSName,
		"journal_mode(WAL)",
		"synchronous(FULL)", // an fsync of the log with every commit
		// 8 MiB: SQLite looks through much of its cache after a commit, and the processor's
		// has room for few of its pages. With 32 an append takes 5 to 10 % more of the processor,
		// with a thousand events in the inbox and with a million.
		"cache_size(-8192)",
		// A batch of large bodies is held until its commit all the same, or each of its pages
		// would be written with two calls of its own.
		"cache_spill(-32768)",
		// 16 MiB of log between checkpoints: the default of 4 makes a busy writer
		// copy the same pages four times as often.
		"wal_autocheckpoint(4096)",
		"journal_size_limit(67108864)",
		"temp_store(MEMORY)",
	))
	if err != nil {
		return nil, err
	}
	var mode string
	_, err = c.first("PRAGMA journal_mode", nil, func(c columns) { mode = c.text() })
	if err == nil && mode != "wal" {
		err = fmt.Errorf("journal mode is %q, not \"wal\": put the inbox on a local disk", mode)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// connectToRead opens a database that exists.
func connectToRead(ctx context.Context, path string) (*conn, error) {
	return openConn(ctx, dataSource(path, "os", "query_only(1)", "cache_size(-8192)"))
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

func dataSource(path, files string, pragmas ...string) string {
	// The only other connection that ever blocks one is a checkpoint's or a
	// recovery's, for moments.
	values := url.Values{"vfs": {files}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: values.Encode()}
	return u.String()
}
