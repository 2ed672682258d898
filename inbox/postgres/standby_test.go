package postgres_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// Two servers, of which the first was the primary: the store finds the one that is.
func TestTheStoreFollowsThePrimary(t *testing.T) {
	t.Parallel()
	first, second := postgrestest.New(t, postgrestest.Options{}), postgrestest.New(t, postgrestest.Options{})
	for _, server := range []*postgrestest.Server{first, second} {
		require.NoError(t, server.CreateDatabase(within(t), "inbox"))
		_, _, err := postgres.Migrate(within(t), server.URL("inbox"))
		require.NoError(t, err)
	}
	both, err := url.Parse(first.URL("inbox"))
	require.NoError(t, err)
	both.Host = fmt.Sprintf("127.0.0.1:%d,127.0.0.1:%d", first.Port(), second.Port())
	store := open(t, both.String(), postgres.Options{})
	_, err = appendOne(within(t), store, "redo/a", "before", nil)
	require.NoError(t, err)

	var data string
	require.NoError(t, session(t, first.URL("inbox")).QueryRow(t.Context(), "SHOW data_directory").Scan(&data))
	require.NoError(t, first.Stop())
	require.NoError(t, os.WriteFile(filepath.Join(data, "standby.signal"), nil, 0o600))
	require.NoError(t, os.Chmod(filepath.Join(data, "standby.signal"), 0o644)) // the server is another user
	require.NoError(t, first.Restart(within(t)))

	require.Eventually(t, func() bool {
		_, err := appendOne(within(t), store, "redo/a", "after", nil)
		return err == nil
	}, patience, 50*time.Millisecond)
	waitFor(t, second.URL("inbox"), "SELECT count(*) = 1 FROM events")

	alone := open(t, first.URL("inbox"), postgres.Options{Connections: 4})
	require.ErrorContains(t, alone.Ping(within(t)), "standby")
}
