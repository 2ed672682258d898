// Package deploy_test keeps the deployment files true: that compose, chart and plain
// processes have the same settings, that the program knows them, and that what the
// files refer to is there. No container engine is needed for that.
package deploy_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// root is the repository, seen from this package.
const root = ".."

// built is where the program under test was built; its folder goes with the test
// binary.
var built struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := temporaltest.Main(m)
	if built.dir != "" {
		if err := os.RemoveAll(built.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// program returns the path of holdfast, built from this checkout as its image is.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		//nolint:usetesting // t.TempDir would be gone after the first test
		if built.dir, built.err = os.MkdirTemp("", "holdfast-deploy-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.version=v0.0.0-test", "-o", built.dir, "./cmd/holdfast")
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			built.err = errors.Join(err, errors.New(string(output)))
		}
	})
	require.NoError(t, built.err)
	return filepath.Join(built.dir, "holdfast")
}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(content)
}

// run runs a program and returns its standard output; it must succeed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%s %v: %v\n%s", name, args, err, exit.Stderr)
	}
	require.NoError(t, err)
	return string(output)
}
