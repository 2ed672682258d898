package faults_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/chaos/faults"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// connect makes a database with a table, and returns what adds a megabyte to it.
func connect(t *testing.T, server *postgrestest.Server, database string) (add func() error) {
	t.Helper()
	require.NoError(t, server.CreateDatabase(t.Context(), database))
	conn, err := pgx.Connect(t.Context(), server.URL(database))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	_, err = conn.Exec(t.Context(), "CREATE TABLE heap (words text)")
	require.NoError(t, err)
	return func() error {
		_, err := conn.Exec(t.Context(), "INSERT INTO heap SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
		return err
	}
}

func TestTheQuotaIsTheInboxesAloneAndPostgresLivesThroughIt(t *testing.T) {
	t.Parallel()
	server := postgrestest.New(t, postgrestest.Options{InitDB: []string{"--wal-segsize=1"}})
	inbox, other := connect(t, server, fleet.InboxDatabase), connect(t, server, "other")
	for range 3 {
		require.NoError(t, inbox())
	}
	postmaster := server.PIDs()[0]
	end, err := faults.Quota(t.Context(), server)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return inbox() != nil }, time.Minute, time.Millisecond)
	require.ErrorContains(t, inbox(), "could not extend file")
	for range 10 { // more than the inbox has, and many of the log's files
		require.NoError(t, other())
	}
	require.NoError(t, end())
	require.NoError(t, inbox(), "on the same connection")
	require.Equal(t, postmaster, server.PIDs()[0], "it has not restarted")
}
