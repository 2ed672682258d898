// Package fleettest is for tests that start a fleet.
package fleettest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// Setup returns the checkout, its programs and a new folder for a fleet, which is
// removed after the test, or kept and named if that has failed. Without a Temporal
// server, whose build takes minutes, the test is skipped, but not where tests of
// PostgreSQL must not be skipped either.
func Setup(t testing.TB) (root, dir string, programs fleet.Programs) {
	t.Helper()
	root, err := fleet.Checkout(".")
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(root, "bin", "temporal-server")); err != nil &&
		os.Getenv("CI") == "" && os.Getenv(postgrestest.RequireVariable) == "" {
		fmt.Fprintf(os.Stderr, "SKIPPED %s: no Temporal server: sh deploy/temporal-server.sh builds one\n", t.Name()) // go test without -v hides a skip
		t.Skip("no Temporal server")
	}
	// Not t.TempDir, which the user that PostgreSQL runs as cannot reach.
	dir, err = os.MkdirTemp("", "holdfast-fleet-") //nolint:usetesting // see above
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs are in %s", filepath.Join(dir, "logs"))
			return
		}
		require.NoError(t, os.RemoveAll(dir))
	})
	programs, err = fleet.Build(t.Context(), root, dir)
	require.NoError(t, err)
	return root, dir, programs
}
