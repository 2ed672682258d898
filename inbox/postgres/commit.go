package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errTakenBack means that the server answered a commit by taking everything back.
var errTakenBack = errors.New("the transaction was taken back")

// queueCommit queues the commit, and fails if it is none.
func queueCommit(b *pgx.Batch) {
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return errTakenBack
		}
		return nil
	})
}

// exactly fails if a statement wrote another number of rows than was decided under
// the locks: somebody writes without them. The caller must not go on as if nothing was.
func exactly(n int) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(n) {
			return fmt.Errorf("%d rows were written instead of %d", tag.RowsAffected(), n)
		}
		return nil
	}
}
