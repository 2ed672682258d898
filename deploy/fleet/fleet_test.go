package fleet_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/deploy/fleet/fleettest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sink is a destination that keeps the sequences it was given.
type sink struct {
	*httptest.Server
	mu        sync.Mutex
	sequences []string
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sequences = append(s.sequences, r.Header.Get(activities.HeaderSequence))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) got() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.sequences, " ")
}

// What `make fleet` prints to try, on a fleet that is stopped and started again, and
// whose workers are replaced.
func TestE2EAFleetDeliversInOrder(t *testing.T) {
	t.Parallel()
	root, dir, programs := fleettest.Setup(t)
	secrets, err := fleet.ThrowAwaySecrets(dir)
	require.NoError(t, err)
	to := newSink(t)
	options := fleet.Options{
		Root: root, Programs: programs, Dir: dir, Ingresses: 2, Workers: 2, Secrets: secrets,
		Routes: func(string) string { return "*=" + to.URL }, Log: slog.New(slog.DiscardHandler),
	}
	up := func() *fleet.Fleet {
		f, err := fleet.Start(t.Context(), options)
		require.NoError(t, err)
		return f
	}
	holdfast := func(args ...string) string {
		output, err := exec.CommandContext(t.Context(), programs.Holdfast, append(args, "--data-dir", dir)...).CombinedOutput()
		require.NoError(t, err, "%s", output)
		return string(output)
	}
	require.NotContains(t, holdfast("version"), "(devel)", "what operators see in each build")
	sent := 0
	send := func(f *fleet.Fleet) {
		before := to.got()
		output := holdfast("send", "redo", "--count", "5", "--subject", "r1", "--url", f.URL)
		sent += 5
		require.Equal(t, 5, strings.Count(output, "200  accepted"), output)
		require.Eventually(t, func() bool {
			list := holdfast("events", "list", "--subject", "redo/r1", "--operator-url", f.Ingresses[1].Operator)
			return strings.Count(list, "delivered") == sent
		}, 2*time.Minute, 200*time.Millisecond)
		require.Equal(t, 5, len(strings.Fields(to.got()))-len(strings.Fields(before)), "each once")
	}

	f := up()
	send(f)
	require.NoError(t, f.Close())

	f = up()
	defer func() { require.NoError(t, f.Close()) }()
	send(f)
	require.NoError(t, f.Deploy(t.Context(), "build-2"))
	require.Equal(t, "worker-3 worker-4", f.Workers()[0].Name()+" "+f.Workers()[1].Name())
	send(f)

	var inOrder []string
	for n := range sent {
		inOrder = append(inOrder, fmt.Sprint(n+1))
	}
	require.Equal(t, strings.Join(inOrder, " "), to.got())
}
