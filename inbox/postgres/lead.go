package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Lead tells whether this process does the fleet's sweeping now. It takes or
// prolongs a lease by the server's clock: who closes its store, dies or freezes
// loses it, and the next to ask gets it.
func (s *Store) Lead(ctx context.Context) (bool, error) {
	return read(ctx, s, "ask for the lead", func(ctx context.Context, conn *pgx.Conn) (leads bool, err error) {
		err = conn.QueryRow(ctx, `INSERT INTO leases AS l (name, holder, until)
			VALUES ('sweeper', $1, clock_timestamp() + $2::bigint * interval '1 microsecond')
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
			RETURNING true`, s.holder, s.options.Lease.Microseconds()).Scan(&leads)
		if errors.Is(err, pgx.ErrNoRows) {
			return false, nil
		}
		return leads, err
	})
}

// resign gives up the lead, if this process has it.
func (s *Store) resign() {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackPatience)
	defer cancel()
	if conn, err := s.conn(ctx); err == nil {
		_, _ = conn.Exec(ctx, "DELETE FROM leases WHERE name = 'sweeper' AND holder = $1", s.holder)
		conn.Release()
	}
}
