package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// RequireVariable is set in the environment to make a test fail that would be
// skipped because there is no PostgreSQL. CI does the same.
const RequireVariable = "REQUIRE_POSTGRES"

// shared is the server of this test binary, started by its first Database.
var shared struct {
	sync.Mutex
	server *Server
	err    error
	names  atomic.Int64
}

// Database returns the URL of a fresh database, which is dropped when the test
// ends. Without PostgreSQL the test is skipped, but fails where that must not be.
func Database(t testing.TB) string {
	t.Helper()
	server := Shared(t)
	name := fmt.Sprintf("test_%d", shared.names.Add(1))
	if err := server.CreateDatabase(t.Context(), name); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := server.DropDatabase(context.Background(), name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return server.URL(name)
}

// Shared returns the server that all tests of this binary share. Nobody stops it
// but Main.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		// Nothing here outlives the machine, so nothing is synced: these tests are about
		// what the store does. Those of crashes start a server of their own.
		shared.server, shared.err = Start(context.Background(), Options{Settings: map[string]string{
			"fsync": "off", "full_page_writes": "off",
		}})
	}
	require(t, shared.err)
	return shared.server
}

// New starts a server for one test, and closes it when the test ends.
func New(t testing.TB, options Options) *Server {
	t.Helper()
	server, err := Start(context.Background(), options)
	require(t, err)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close the test's PostgreSQL: %v", err)
		}
	})
	return server
}

func require(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrNotInstalled) && os.Getenv("CI") == "" && os.Getenv(RequireVariable) == "":
		fmt.Fprintf(os.Stderr, "SKIPPED %s: %v\n", t.Name(), err) // go test without -v hides a skip
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// Runner is what a TestMain runs, such as *testing.M.
type Runner interface{ Run() int }

// Main runs the tests, stops the shared server, and returns the exit code.
func Main(m Runner) int {
	defer func() {
		if err := stopShared(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the tests' PostgreSQL:", err)
		}
	}()
	return m.Run()
}

// Stopping is m with Main's care, for whoever hands it on to a leak check.
func Stopping(m Runner) Runner { return stopping{m} }

type stopping struct{ Runner }

func (s stopping) Run() int { return Main(s.Runner) }

func stopShared() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return nil
	}
	err := shared.server.Close()
	shared.server = nil
	return err
}
