package sqlite

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/require"
)

// YoungRows is half of how many rows are remembered.
const YoungRows = youngRows

// Conn is a connection as the writer's.
type Conn struct{ *conn }

// Connect opens a database as the writer does.
func Connect(ctx context.Context, path string) (Conn, error) {
	c, err := connect(ctx, path)
	return Conn{c}, err
}

// Migrate brings migrations of a test's own.
func (c Conn) Migrate(files fs.FS) error { return migrate(context.Background(), c.conn, files) }

// Migrations are the store's own.
var Migrations = migrations

// Misses is how many pages the connection had to read that it did not have.
func (c Conn) Misses() (int64, error) {
	misses, _, err := c.raw.Status(sqlite3.DBSTATUS_CACHE_MISS, false)
	return misses, err
}

// Migration returns the text of one of the store's own.
func Migration(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(migrations, name)
	require.NoError(t, err)
	return string(text)
}

// Exec runs statements.
func (c Conn) Exec(statements string) error { return c.script(statements) }

// Text returns what a query says in its first column.
func (c Conn) Text(query string) (said []string, err error) {
	err = c.query(query, nil, readIDs(&said))
	return said, err
}

// Plan returns the steps by which SQLite runs a query.
func (c Conn) Plan(query string) (steps []string, err error) {
	err = c.queryOnce("EXPLAIN QUERY PLAN "+query, nil, func(c columns) error {
		_, _, _ = c.int(), c.int(), c.int() // its number, its parent's, nothing
		steps = append(steps, c.text())
		return nil
	})
	return steps, err
}

// Opcodes returns the operations of SQLite's that a statement is made of.
func (c Conn) Opcodes(query string) (opcodes []string, err error) {
	err = c.queryOnce("EXPLAIN "+query, nil, func(c columns) error {
		_ = c.int() // its address
		opcodes = append(opcodes, c.text())
		return nil
	})
	return opcodes, err
}

// Close closes the connection.
func (c Conn) Close() error { return c.close() }

// The statements whose plans a test looks at.
const (
	RungSQL  = rungSQL
	LetGoSQL = letGoSQL
	KnownSQL = knownSQL

	SetAsideSQL    = setAsideSQL
	InsertEventSQL = insertEventSQL
	SettleSQL      = settleSQL
	UpdateThinSQL  = updateThinSQL
)

// StillRungSQL and HeldSQL ask about so many subjects.
var StillRungSQL, HeldSQL = stillRungSQL, heldSQL

// Write runs an operation of the test's in the writer.
func (s *Store) Write(ctx context.Context, run func(exec func(query string, args ...any) error) error) error {
	_, err := write(ctx, s, func(t *tx) (struct{}, error) {
		return struct{}{}, run(func(query string, args ...any) error {
			if err := t.flush(); err != nil {
				return err
			}
			t.forget() // it may be about subjects
			return t.exec(query, args...)
		})
	})
	return err
}

// LogFile is the writer's handle on the log.
type LogFile struct{ *logFile }

// NewLogFile puts one over a test's file.
func NewLogFile(file vfs.File) LogFile { return LogFile{&logFile{File: file}} }

// BeginCommit lets it gather what is written.
func (f LogFile) BeginCommit() { f.beginCommit() }

// EndCommit drops what it still holds.
func (f LogFile) EndCommit() { f.endCommit() }

// HeldBytes bounds what it holds.
const HeldBytes = heldBytes

// Commit ends a transaction as the writer does.
func (c Conn) Commit() error { return c.commit() }

// WrapLog puts a file of the test's below the connection's log. A transaction has begun.
func (c Conn) WrapLog(wrap func(vfs.File) vfs.File) error {
	log, err := logOf(c.raw)
	if err == nil {
		log.File = wrap(log.File)
	}
	return err
}

// WrapLog does so to the connection that the writer has now.
func (s *Store) WrapLog(ctx context.Context, wrap func(vfs.File) vfs.File) error {
	_, err := write(ctx, s, func(t *tx) (struct{}, error) { return struct{}{}, Conn{t.w.conn}.WrapLog(wrap) })
	return err
}

// Gathering tells whether the writer waits for a crowd.
func (s *Store) Gathering() bool { return s.gathering.missing.Load() > 0 }

// GatherFor has the writer wait so long for a crowd it expects.
func (s *Store) GatherFor(ctx context.Context, d time.Duration) error {
	_, err := write(ctx, s, func(*tx) (struct{}, error) {
		s.gathering.time = d
		return struct{}{}, nil
	})
	return err
}
