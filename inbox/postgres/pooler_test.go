package postgres_test

import (
	"io"
	"net"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// A pooler such as PgBouncer refuses settings that come with a connection, but for a
// few, or drops them. They hold all the same.
func TestSettingsHoldBehindAPooler(t *testing.T) {
	t.Parallel()
	where, err := url.Parse(postgrestest.Database(t))
	require.NoError(t, err)
	where.Host = pooler(t, where.Host)
	store := open(t, where.String(), postgres.Options{Connections: 4})
	require.NoError(t, store.EachConnection(t.Context(), func(conn *pgx.Conn) error {
		var commit, isolation, idle string
		err := conn.QueryRow(t.Context(), `SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation'),
			current_setting('idle_in_transaction_session_timeout')`).Scan(&commit, &isolation, &idle)
		require.Equal(t, []string{"on", "read committed", "2s"}, []string{commit, isolation, idle})
		return err
	}))
	requireWorks(t, store, "k")
}

// pooler passes connections on without the settings that come with them.
func pooler(t *testing.T, server string) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(client, server)
		}
	}()
	return listener.Addr().String()
}

func pass(client net.Conn, server string) {
	defer func() { _ = client.Close() }()
	first, err := pgproto3.NewBackend(client, client).ReceiveStartupMessage()
	message, is := first.(*pgproto3.StartupMessage)
	if err != nil || !is {
		return
	}
	backend, err := net.Dial("tcp", server) // it ends with its client
	if err != nil {
		return
	}
	defer func() { _ = backend.Close() }()
	message.Parameters = map[string]string{"user": message.Parameters["user"], "database": message.Parameters["database"]}
	encoded, err := message.Encode(nil)
	if err != nil {
		return
	}
	if _, err := backend.Write(encoded); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(backend, client)
		_ = backend.Close()
	}()
	_, _ = io.Copy(client, backend)
}
