package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-project/holdfast/inbox"
)

// Store is an inbox.Inbox in a PostgreSQL database that any number of processes
// share. It is safe for concurrent use.
type Store struct {
	options Options
	pool    *pgxpool.Pool
	codec   *codec
	place   string
	holder  string // of the lead
	away    atomic.Pointer[awayError]
	counts  countCache

	appends *line[*appending]
	stuck   stuck // appends whose subjects others have locked
	changes *line[*change]
	alone   chan struct{} // a slot for each change that waits for a lock
	again   chan struct{} // for one that has waited in vain

	reading   chan struct{} // a slot for each read
	operating chan struct{} // for each of those that may take long

	working   sync.WaitGroup
	closing   chan struct{}
	stopped   chan struct{}
	closeOnce sync.Once
	commits   atomic.Int64
	committed atomic.Int64
}

var _ inbox.Inbox = (*Store)(nil)

// Open opens the inbox in the database at url and starts its writers. If the server
// cannot be reached for now it succeeds all the same: it keeps trying, and every
// operation returns an error meanwhile. It fails on what a person must mend: the
// URL, the password, a database or a schema that is not there. The caller closes
// the Store.
func Open(ctx context.Context, url string, options Options) (*Store, error) {
	options = options.withDefaults()
	config, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("open inbox: %w", err)
	}
	config.MaxConns, config.MinConns, config.MinIdleConns = int32(options.Connections), 0, 0 //nolint:gosec // a handful
	config.PingTimeout = pingTimeout
	where := place(config.ConnConfig)
	holder, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	s := &Store{options: options, place: where, holder: holder.String(), closing: make(chan struct{}), stopped: make(chan struct{})}
	s.appends = newLine[*appending](options.QueueLength, s.closing)
	s.changes = newLine[*change](options.BatchLength, s.closing)
	s.alone, s.again = make(chan struct{}, options.loners()), make(chan struct{}, 1)
	s.reading, s.operating = make(chan struct{}, options.readers()), make(chan struct{}, options.operators())
	s.stuck.subjects = map[string]int{}
	if s.codec, err = newCodec(options.CompressAbove); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, config.ConnConfig); err != nil {
		s.codec.close()
		return nil, fmt.Errorf("open inbox, %s: %w", where, advise(err))
	}
	if s.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), config); err != nil {
		s.codec.close()
		return nil, fmt.Errorf("open inbox, %s: %w", where, err)
	}
	s.start(config.ConnConfig)
	return s, nil
}

// Stats are what a Store has done since it was opened.
type Stats struct {
	Commits    int64 // of batches: each with one wait for the disk
	Operations int64 // in them, also those that were refused
	Queued     int   // operations that wait now
}

// Stats returns what the store has done so far.
func (s *Store) Stats() Stats {
	stuck, _ := s.stuck.size()
	return Stats{Commits: s.commits.Load(), Operations: s.committed.Load(), Queued: s.appends.len() + s.changes.len() + stuck}
}

// Close lets what is queued be finished, refuses everything else, gives up the
// lead and the connections.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.working.Wait()
		close(s.stopped)
		s.resign()
		s.pool.Close()
		s.codec.close()
	})
	return nil
}

const (
	// acquirePatience is how long an operation waits for a connection.
	acquirePatience = 2500 * time.Millisecond
	// statementPatience is how long one round trip of a writer may take: after that
	// nobody knows what became of it.
	statementPatience = 10 * time.Second
)

// conn returns a connection, or why there is none. The caller releases it.
func (s *Store) conn(ctx context.Context) (*pgxpool.Conn, error) {
	if away := s.away.Load(); away != nil {
		return nil, away
	}
	ctx, cancel := context.WithTimeoutCause(ctx, acquirePatience, errors.New("no connection in time"))
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.place, reasonOf(err))
	}
	return conn, nil
}

// enter takes a slot, or returns why there is none. The caller receives from slots.
func enter(ctx context.Context, slots chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, statementPatience, errors.New("no connection in time"))
	defer cancel()
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a connection to the inbox: %w", context.Cause(ctx))
	}
}

// failed tells the pool about an error. When a connection broke, the idle ones are
// likely dead too.
func (s *Store) failed(err error) {
	if isConnection(err) {
		s.pool.Reset()
	}
}
