package postgrestest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// The test binary runs itself as a child that starts a server and is killed.
const childVariable = "HOLDFAST_POSTGRESTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		server, err := postgrestest.Start(context.Background(), postgrestest.Options{})
		fmt.Println(server.PIDs(), server.Port(), err)
		select {}
	}
	goleak.VerifyTestMain(postgrestest.Stopping(m))
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	var answer string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&answer))
	return answer
}

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	one, two := postgrestest.Database(t), postgrestest.Database(t)
	require.NotEqual(t, one, two)
	require.NotEqual(t, query(t, one, "SELECT current_database()"), query(t, two, "SELECT current_database()"))
}

func TestAServerCrashesAndComesBack(t *testing.T) {
	t.Parallel()
	server := postgrestest.New(t, postgrestest.Options{Settings: map[string]string{"work_mem": "1234kB"}})
	require.NoError(t, server.CreateDatabase(t.Context(), "it's mine"))
	url := server.URL("postgres")
	require.Equal(t, "1234kB", query(t, url, "SHOW work_mem"))
	require.Equal(t, "on", query(t, url, "SHOW fsync"))
	query(t, url, "WITH made AS (SELECT 1) SELECT 'x'")
	require.Greater(t, len(server.PIDs()), 1, "the postmaster and its children")

	port := server.Port()
	require.NoError(t, server.Crash())
	require.Empty(t, server.PIDs())
	_, err := pgx.Connect(t.Context(), url)
	require.Error(t, err)
	require.NoError(t, server.Restart(t.Context()))
	require.Equal(t, port, server.Port())
	require.Equal(t, "it's mine", query(t, url, "SELECT datname FROM pg_database WHERE datname LIKE 'it%'"))

	for _, pid := range server.PIDs() {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // a child may just have ended
	}
	require.NoError(t, server.Stop(), "also when it is frozen")
	require.NoError(t, server.Stop(), "and twice")
}

func TestAServerKeepsItsDataInItsDirectory(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	for range 2 {
		server, err := postgrestest.Start(t.Context(), postgrestest.Options{Dir: dir})
		require.NoError(t, err)
		if conn, err := pgx.Connect(t.Context(), server.URL("kept")); err == nil {
			require.NoError(t, conn.Close(t.Context()))
			require.NoError(t, server.Close())
			return
		}
		require.NoError(t, server.CreateDatabase(t.Context(), "kept"))
		require.NoError(t, server.Close())
	}
	require.Fail(t, "the second start has not found the database of the first")
}

func TestWhatKeepsAServerFromStartingIsSaid(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	_, err = postgrestest.Start(t.Context(), postgrestest.Options{Port: taken.Addr().(*net.TCPAddr).Port})
	require.ErrorContains(t, err, "Address already in use")
}

func TestAServerDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	postgrestest.Database(t) // or skip
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1", "TMPDIR="+reachable(t))
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "<nil>")
	list, _, _ := strings.Cut(strings.TrimPrefix(line, "["), "]")
	var pids []int
	for _, word := range strings.Fields(list) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err)
		pids = append(pids, pid)
		_ = syscall.Kill(pid, syscall.SIGSTOP) // frozen, which is the worst; a child may just have ended
	}
	require.NotEmpty(t, pids)
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	require.Eventually(t, func() bool {
		for _, pid := range pids {
			if _, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid))); err == nil {
				return false
			}
		}
		left, err := filepath.Glob(filepath.Join(child.Env[len(child.Env)-1][len("TMPDIR="):], "*"))
		return err == nil && len(left) == 0
	}, time.Minute, 50*time.Millisecond, "its processes and its directory are gone")
}

// reachable is a temporary directory that every user can reach.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "holdfast-reachable-") //nolint:usetesting // whose parents only we can reach
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o777))
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); !errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, err)
		}
	})
	return dir
}
