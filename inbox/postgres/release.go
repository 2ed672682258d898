package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackPatience is short: a connection that cannot even take back is closed, and
// then the server takes back by itself.
const rollbackPatience = time.Second

// release gives a connection back, without the transaction that it may be in.
func release(conn *pgxpool.Conn) {
	if raw := conn.Conn(); !raw.IsClosed() && raw.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackPatience)
		defer cancel()
		_, _ = raw.Exec(ctx, "ROLLBACK")
	}
	conn.Release() // which closes one that is still in a transaction
}
