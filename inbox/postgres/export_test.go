package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-project/holdfast/inbox"
)

// MigrateFiles lets a test bring migrations of its own.
var MigrateFiles = migrate

// ParseURL is how a store reads its URL.
var ParseURL = parseURL

// The statements whose plans a test looks at.
const (
	NextSQL      = nextSQL
	UnrungSQL    = unrungSQL
	WaitingSQL   = waitingSQL
	StillRungSQL = stillRungSQL
	HeldSQL      = heldSQL
	LockRows     = lockRows
	ReadPending  = readPending
	ReadHeads    = readHeads
	RowsUpdate   = rowsUpdate
	EventsSettle = eventsSettle
	CountSQL     = countSQL
)

// PreparedNames are those of the statements that a session keeps.
var PreparedNames = []string{appendName, usualName, nextName}

// EventsQuery is the statement of a list of events.
var EventsQuery = eventsQuery

// Stamp is a time as an argument.
func Stamp(t time.Time) any { return stampOf(t) }

// EachConnection does something on every connection of the store's at once.
func (s *Store) EachConnection(ctx context.Context, do func(*pgx.Conn) error) error {
	var all []*pgxpool.Conn
	defer func() {
		for _, conn := range all {
			conn.Release()
		}
	}()
	for range s.options.Connections {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		all = append(all, conn)
		if err := do(conn.Conn()); err != nil {
			return err
		}
	}
	return nil
}

// BeginSettle does a settlement's first half. The rest comes when the returned
// function is called.
func (s *Store) BeginSettle(ctx context.Context, settlement inbox.Settlement) (commit func() error, err error) {
	c := &change{subject: settlement.Subject, sequence: settlement.Sequence, decide: func(k *known) error {
		k.row.Settle(false)
		k.settled = &settlement
		return nil
	}}
	t, err := s.readAgain(ctx, []*change{c}, "")
	if err != nil {
		return nil, err
	}
	t.decide(false)
	return sync.OnceValue(func() error {
		defer release(t.conn)
		return t.write(ctx)
	}), nil
}
