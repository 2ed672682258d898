package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/holdfast-project/holdfast/inbox"
)

// Options tune a Store. Zero fields mean the defaults.
type Options struct {
	QueueLength int // appends that may wait for the writer; 4,096
	QueueBytes  int // bodies that may wait for the writer; 256 MiB, and always one delivery
	BatchLength int // operations that share one commit; 256
	BatchBytes  int // bodies that share one commit; 16 MiB, and always one delivery
	Readers     int // connections for reading; 4
}

func (o Options) withDefaults() Options {
	for value, standard := range map[*int]int{
		&o.QueueLength: 4096, &o.QueueBytes: 256 << 20,
		&o.BatchLength: 256, &o.BatchBytes: 16 << 20, &o.Readers: 4,
	} {
		if *value <= 0 {
			*value = standard
		}
	}
	return o
}

// Stats are what a Store has done since it was opened.
type Stats struct {
	Commits    int64 // transactions that were made durable, each with one fsync
	Operations int64 // operations in them, also those that were refused
	Queued     int   // operations that wait now
}

// Store is an inbox.Inbox in one SQLite database. It is safe for concurrent use.
type Store struct {
	path    string
	options Options
	lock    *os.File
	readers *readers
	writer  *writer

	appends     chan *operation // refused when full
	others      chan *operation // waited for
	queuedBytes atomic.Int64
	gathering   gathering
	closing     chan struct{}
	closeOnce   sync.Once
	closeErr    error
}

var _ inbox.Inbox = (*Store)(nil)

// errClosed is what an operation gets that the writer did not begin before Close.
var errClosed = errors.New("the inbox is closed")

// Open opens the database at path, which it creates with its directory if need
// be, brings its schema up to date, and starts its writer. Only one process can
// have it open. The caller closes the Store.
func Open(ctx context.Context, path string, options Options) (*Store, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open inbox %s: %w", path, err)
	}
	s := &Store{path: absolute, options: options.withDefaults(), gathering: newGathering(), closing: make(chan struct{})}
	s.appends = make(chan *operation, s.options.QueueLength)
	s.others = make(chan *operation, s.options.BatchLength)
	if err := s.open(ctx); err != nil {
		_ = s.release() // what matters is why it could not be opened
		return nil, fmt.Errorf("open inbox %s: %w", absolute, err)
	}
	go s.work()
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err = createFile(s.path); err != nil {
		return err
	}
	if s.lock, err = lockFile(s.path + ".lock"); err != nil {
		return err
	}
	c, err := connect(ctx, s.path)
	if err != nil {
		return err
	}
	// With a connection of its own, for SQLite takes the log of a new database away,
	// which is made private before.
	if err = errors.Join(prepareFile(ctx, c), c.close()); err != nil {
		return err
	}
	if s.writer, err = openWriter(ctx, s.path); err != nil {
		return err
	}
	s.readers = newReaders(s.path, s.options.Readers)
	return nil
}

func prepareFile(ctx context.Context, c *conn) error {
	if err := migrate(ctx, c, migrations); err != nil {
		return err
	}
	return letGo(c)
}

// createFile makes the database file with its directory, readable by nobody
// else: payloads and patients' ids are in it. The directories are synced, or a
// crash of the machine could take the file away with everything that was synced in it.
func createFile(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create its directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(dir), syncDir(filepath.Dir(dir)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names the directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Stats returns what the store has done so far.
func (s *Store) Stats() Stats {
	return Stats{
		Commits:    s.writer.commits.Load(),
		Operations: s.writer.operations.Load(),
		Queued:     len(s.appends) + len(s.others),
	}
}

// Close lets the writer finish what is queued, refuses everything else, and
// gives the file up for another process.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		<-s.writer.stopped
		s.closeErr = s.release()
	})
	return s.closeErr
}

func (s *Store) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
