package fleet_test

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

func TestFreePortsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 50 {
		port, err := fleet.FreePort(t.Context())
		require.NoError(t, err)
		require.False(t, seen[port])
		require.Less(t, port, 32768, "the system gives none of these to a connection")
		seen[port] = true
	}
}

func TestAFleetWhosePortIsTakenSaysWhich(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	root := checkout(t, "")
	for _, name := range []string{"common.env", "worker.env"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, "deploy", "settings", name), nil, 0o600))
	}
	_, err = fleet.Start(t.Context(), fleet.Options{
		Root: root, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Port: func(string) int { return taken.Addr().(*net.TCPAddr).Port },
	})
	require.ErrorContains(t, err, "for postgres, is in use")
}
