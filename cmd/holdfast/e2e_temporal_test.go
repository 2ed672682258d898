package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/workflows"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// temporalServer is a Temporal of a test's own, with its database in a file, to be
// killed and started again at the same address.
type temporalServer struct {
	*program
	address  string
	database string
}

// newTemporal makes one that is not started.
func newTemporal(t *testing.T) *temporalServer {
	t.Helper()
	cli, err := temporaltest.CLI()
	require.NoError(t, err)
	dir, port := t.TempDir(), freshPort(t)
	s := &temporalServer{address: net.JoinHostPort("127.0.0.1", port), database: filepath.Join(dir, "temporal.db")}
	s.program = newProgram(t, dir, nil, "guard", "--",
		cli, "server", "start-dev", "--ip", "127.0.0.1", "--port", port, "--headless",
		"--db-filename", s.database, "--log-level", "error",
		"--search-attribute", workflows.SearchAttributeSource+"=Keyword",
		"--search-attribute", workflows.SearchAttributeState+"=Keyword")
	return s
}

// forget deletes the database.
func (s *temporalServer) forget(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(s.database + "*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, os.Remove(file))
	}
}

// await returns a client of the server when it answers.
func (s *temporalServer) await(t *testing.T) client.Client {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{HostPort: s.address, Logger: sdkSilence{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	until(t, "Temporal at "+s.address, func() bool {
		require.False(t, s.over(), "it ended:\n%s", s.recent(t))
		_, err := c.CheckHealth(t.Context(), &client.CheckHealthRequest{})
		return err == nil
	})
	return c
}

type sdkSilence struct{}

func (sdkSilence) Debug(string, ...any) {}
func (sdkSilence) Info(string, ...any)  {}
func (sdkSilence) Warn(string, ...any)  {}
func (sdkSilence) Error(string, ...any) {}

// freshPort is a port that was free a moment ago.
func freshPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// listening tells whether somebody listens at an address.
func listening(address string) bool {
	c, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
