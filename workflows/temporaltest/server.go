// Package temporaltest gives tests a real Temporal server: one development
// server, in memory, for all tests of a package.
package temporaltest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-project/holdfast/workflows"
)

var (
	start  sync.Once
	server *testsuite.DevServer
	failed error
)

// Main runs a package's tests and stops the server, if one of them started it.
// Call it from TestMain and exit with what it returns.
func Main(m *testing.M) int {
	code := m.Run()
	if server != nil {
		server.Client().Close() // which stopping the server does not
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the Temporal server:", err)
		}
	}
	return code
}

// Client returns a client of the package's server, starting it for the first
// test that asks. It is shared: do not close it.
func Client(t testing.TB) client.Client {
	t.Helper()
	start.Do(func() { server, failed = startServer() })
	require.NoError(t, failed)
	return server.Client()
}

// Address is the server's host and port.
func Address(t testing.TB) string {
	t.Helper()
	Client(t)
	return server.FrontendHostPort()
}

func startServer() (*testsuite.DevServer, error) {
	return Start(
		// A run continues as new after about this many events, so that tests reach it.
		"--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=120",
		// The server fires timers up to this much late, a second unless told: with the
		// short waits of tests most of their time would be that.
		"--dynamic-config-value", `history.timerProcessorMaxTimeShift="10ms"`,
	)
}

// Start starts a server of the caller's own, with these arguments beside what
// Holdfast needs. The caller closes its client and stops it.
func Start(args ...string) (*testsuite.DevServer, error) {
	path, err := CLI()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return testsuite.StartDevServer(ctx, testsuite.DevServerOptions{
		ExistingPath:  path,
		ClientOptions: &client.Options{Logger: quiet{}, Identity: "test"},
		LogLevel:      "error",
		// Not our own: a test binary that panics leaves the server behind, and go test
		// would wait for whoever holds its output.
		Stdout: io.Discard,
		Stderr: io.Discard,
		ExtraArgs: append([]string{
			"--search-attribute", workflows.SearchAttributeSource + "=Keyword",
			"--search-attribute", workflows.SearchAttributeState + "=Keyword",
		}, args...),
	})
}

// CLI finds the temporal command: in TEMPORAL_CLI, on PATH, or where make puts it.
func CLI() (string, error) {
	if path := os.Getenv("TEMPORAL_CLI"); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "bin", "temporal")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no temporal command: run the tests with make test, which builds it, or set TEMPORAL_CLI")
		}
	}
}

// quiet drops what the SDK logs: tests assert on behaviour, and print on failure.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

var _ log.Logger = quiet{}
