package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/bench"
)

// between is a bad line from Holdfast to a bench: what it does with a delivery decides
// what comes there.
type between struct {
	url, bench string
	// spoil is called for each delivery of the subject that came first, with its number,
	// and tells whether that was all.
	spoil func(n int, deliver func()) bool

	mu      sync.Mutex
	subject string
	seen    int
}

func newBetween(t *testing.T, bench string, spoil func(n int, deliver func()) bool) *between {
	t.Helper()
	b := &between{bench: bench, spoil: spoil}
	server := httptest.NewServer(b)
	t.Cleanup(func() { server.Close(); http.DefaultClient.CloseIdleConnections() })
	b.url = server.URL
	return b
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status := http.StatusOK
	deliver := func() {
		forward, err := http.NewRequest(http.MethodPost, b.bench, bytes.NewReader(body))
		if err != nil {
			return
		}
		forward.Header = r.Header.Clone()
		answer, err := http.DefaultClient.Do(forward)
		if err != nil {
			status = http.StatusBadGateway
			return
		}
		_ = answer.Body.Close()
		status = answer.StatusCode
	}
	if !b.spoilt(r.Header.Get(activities.HeaderSubject), deliver) {
		deliver()
	}
	w.WriteHeader(status)
}

// spoilt has the line do its worst, to one subject of the load.
func (b *between) spoilt(subject string, deliver func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if strings.HasSuffix(subject, "-probe") || b.subject != "" && b.subject != subject {
		return false
	}
	b.subject = subject
	b.seen++
	return b.spoil(b.seen, deliver)
}

// benchAgainst runs the command in a process of its own, and returns its exit status,
// its report and all that it printed.
func benchAgainst(t *testing.T, d *daemon, listen string, args ...string) (status int, r bench.Report, printed string) {
	t.Helper()
	webhooks, _ := d.at.get()
	args = append([]string{"bench", "--url", webhooks, "--listen", listen, "--patience", patience.String(), "-o", "json"}, args...)
	p := newProgram(t, t.TempDir(), map[string]string{"HOLDFAST_SOURCE_REDO_SECRET": testSecret}, args...)
	p.start(t)
	status = p.wait(t)
	printed = string(p.printed(t))
	if at := strings.Index(printed, "\n{"); at >= 0 {
		require.NoError(t, json.NewDecoder(strings.NewReader(printed[at:])).Decode(&r), printed)
	}
	return status, r, printed
}

func TestE2EBench(t *testing.T) {
	t.Parallel()
	listen := "127.0.0.1:" + freshPort(t)
	d := startDaemon(t, redoSource("redo", "http://"+listen+"/", nil))
	status, r, printed := benchAgainst(t, d, listen, "--events", "300", "--subjects", "20", "--connections", "8", "--duplicates", "0.2")
	require.Zero(t, status, printed)
	require.True(t, r.Passed)
	require.Equal(t, 300, r.Delivered.Events)
	require.Positive(t, r.Duplicates)
	require.Equal(t, r.Duplicates, r.Recognised)
	require.NotContains(t, printed, "\x1b", "no bar where there is no terminal")
	require.NotContains(t, printed, testSecret)
	// What it says is what Holdfast has.
	events := d.events(t)
	require.Len(t, events, 301)
	for _, e := range events {
		require.Equal(t, "delivered", e.Status)
	}
}

func TestE2EBenchFailsWhereEventsGetLost(t *testing.T) {
	t.Parallel()
	listen := "127.0.0.1:" + freshPort(t)
	line := newBetween(t, "http://"+listen, func(n int, _ func()) bool { return n == 3 })
	d := startDaemon(t, redoSource("redo", line.url, nil))
	status, r, printed := benchAgainst(t, d, listen, "--events", "60", "--subjects", "6", "--connections", "3", "--give-up", "30s")
	require.Equal(t, 1, status, printed)
	require.False(t, r.Passed)
	require.Equal(t, 1, r.Lost)
	require.Equal(t, 59, r.Delivered.Events)
	require.Contains(t, printed, "holdfast: the bench failed: 1 lost")
	require.Contains(t, r.Findings[0].Subject, "redo/bench-")
	require.Equal(t, 2, r.Findings[0].Counter)
}

func TestE2EBenchFailsWhereOrderGetsLost(t *testing.T) {
	t.Parallel()
	listen := "127.0.0.1:" + freshPort(t)
	var held func()
	line := newBetween(t, "http://"+listen, func(n int, deliver func()) bool {
		switch n {
		case 3:
			held = deliver
			return true
		case 4:
			deliver()
			held()
			return true
		default:
			return false
		}
	})
	d := startDaemon(t, redoSource("redo", line.url, nil))
	status, r, printed := benchAgainst(t, d, listen, "--events", "60", "--subjects", "6", "--connections", "3")
	require.Equal(t, 1, status, printed)
	require.Zero(t, r.Lost)
	require.Equal(t, 60, r.Delivered.Events)
	require.Equal(t, 1, r.OutOfOrder)
	require.Contains(t, printed, "holdfast: the bench failed: 1 out of order")
}

func TestE2EBenchSendsNothingToARouteThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	real := newRecorder(t, nil)
	d := startDaemon(t, redoSource("redo", real.url, nil))
	listen := "127.0.0.1:" + freshPort(t)
	webhooks, _ := d.at.get()
	// It will never come, so the time does not matter.
	done := command(t, benchEnv, "", "bench", "--url", webhooks, "--listen", listen, "--patience", "1s")
	require.ErrorContains(t, done.err, "HOLDFAST_ROUTES='redo/*=http://"+listen+"/'")
	require.ErrorContains(t, done.err, "No more were sent.")
	require.Len(t, d.events(t), 1)
}

func TestE2EBenchCanBeInterrupted(t *testing.T) {
	t.Parallel()
	listen := "127.0.0.1:" + freshPort(t)
	d := startDaemon(t, redoSource("redo", "http://"+listen+"/", nil))
	webhooks, _ := d.at.get()
	p := newProgram(t, t.TempDir(), map[string]string{"HOLDFAST_SOURCE_REDO_SECRET": testSecret},
		"bench", "--url", webhooks, "--listen", listen, "--patience", patience.String(), "--duration", "1h", "--subjects", "4", "--rate", "50")
	p.start(t)
	until(t, "the load", func() bool { return len(d.events(t, "limit", "10")) > 5 })
	require.Equal(t, exitInterrupted, p.stop(t, syscall.SIGINT))
	require.Contains(t, string(p.printed(t)), "PASSED: nothing lost, nothing out of order, as far as it came before it was interrupted.")
	d.settled(t)
}
