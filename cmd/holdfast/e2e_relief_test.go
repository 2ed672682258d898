package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

// TestE2ETemporalIsAwayAndTheLaneIsNot: events are delivered in order, and what fails
// waits for the Temporal that is to try it again.
func TestE2ETemporalIsAwayAndTheLaneIsNot(t *testing.T) {
	t.Parallel()
	for _, mode := range []relief.Mode{relief.Auto, relief.Always} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			temporal := newTemporal(t)
			temporal.program.start(t)
			temporal.await(t)
			destination := newRecorder(t, func(got delivery) answer {
				if got.subject == "away/r003" && got.attempt < 3 {
					return answer{status: http.StatusServiceUnavailable}
				}
				return answer{}
			})
			d := startDaemon(t, redoSource("away", destination.url, in(mode, map[string]string{"TEMPORAL_ADDRESS": temporal.address})))
			s := newSender(t, d, "away")
			s.send(t, "before", 0, 2)
			d.settled(t)

			temporal.kill(t)
			receipts, err := s.all(t.Context(), manySubjects("r", 20), 5, 5)
			require.NoError(t, err)
			until(t, "all to be settled but what failed", func() bool { return len(d.events(t, "status", "pending")) == 5 })
			for _, e := range d.events(t, "status", "pending") {
				require.Equal(t, "away/r003", e.Subject, "what is behind the event that failed")
			}
			require.Len(t, destination.deliveries("away/r003"), 1)
			failed := d.subject(t, "away/r003").Head.Sequence

			temporal.program.start(t)
			d.settled(t)
			destination.requireOnceInOrder(t, receipts)
			for _, e := range d.events(t) {
				switch {
				case e.Sequence == failed:
					require.False(t, inbox.IsRelief(e.Run), "its further attempts are Temporal's")
					require.Equal(t, 3, e.Attempts)
				case e.Subject != "away/r003" && e.Subject != "away/before":
					require.True(t, inbox.IsRelief(e.Run), "%d", e.Sequence)
				}
			}
		})
	}
}

// TestE2ECalmTrafficGoesThroughWorkflows: with auto an event is the lane's only if
// some subject has had to wait just before. How calm a machine is decides how much of
// the traffic that is.
func TestE2ECalmTrafficGoesThroughWorkflows(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := startDaemon(t, redoSource("calm", destination.url, in(relief.Auto, nil)))
	s := newSender(t, d, "calm")
	s.send(t, "first", 0, 1) // waits for the worker
	d.settled(t)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := range 100 {
		s.send(t, fmt.Sprintf("r%03d", n), 0, 1)
		<-tick.C
	}
	d.settled(t)
	events := d.events(t)
	var slow []operator.EventJSON
	for _, e := range events {
		if e.SettledAt.Sub(e.ReceivedAt.Time) >= relief.Patience {
			slow = append(slow, e)
		}
	}
	// It opened not before somebody had waited, and closes two seconds after that.
	hadToWait := func(e operator.EventJSON) bool {
		for _, w := range slow {
			if w.ReceivedAt.Add(relief.Patience).Before(e.SettledAt.Time) && w.SettledAt.Add(2*time.Second).After(e.ReceivedAt.Time) {
				return true
			}
		}
		return false
	}
	relieved := 0
	for _, e := range events {
		require.NotEmpty(t, e.Run)
		if inbox.IsRelief(e.Run) {
			relieved++
			require.True(t, hadToWait(e), "event %d, settled at %v", e.Sequence, e.SettledAt)
		}
	}
	t.Logf("of %d events %d were slow, and %d relieved", len(events), len(slow), relieved)
}

// TestE2EOnlyTheCurrentBuildRelieves: the worker of another build takes nothing in its
// lane, until its build is the current one.
func TestE2EOnlyTheCurrentBuildRelieves(t *testing.T) {
	t.Parallel()
	const source = "relievingbuild"
	g := newGroup(t, source, postgrestest.Database(t), 1, 2, in(relief.Always, map[string]string{"HOLDFAST_DEPLOYMENT": source}))
	g.workers[0].env["HOLDFAST_BUILD_ID"], g.workers[1].env["HOLDFAST_BUILD_ID"] = "v1", "v2"
	g.start(t)
	total := 0
	for i, build := range []string{"v1", "v2"} {
		status, printed := g.workers[0].deployment(t, "set-current", "--build-id", build, "--wait", "2m")
		require.Zero(t, status, printed)
		until(t, "both workers to have noticed", func() bool {
			said := []string{`"msg":"another build is the current one`, `"msg":"this build is the current one`}
			if i == 0 {
				said = []string{`"msg":"this build is the current one`, `"msg":"this build is not the current one`}
			}
			return contains(g.workers[0].printed(t), said[0]) && contains(g.workers[1].printed(t), said[1])
		})
		before := []float64{g.workers[0].attempts(t), g.workers[1].attempts(t)}
		receipts, err := g.sender(t, 0).all(t.Context(), manySubjects(build+"-", 20), 3, 4)
		require.NoError(t, err)
		total += 60
		g.ingresses[0].settled(t)
		g.destination.requireOnceInOrder(t, receipts)
		require.InDelta(t, before[1-i], g.workers[1-i].attempts(t), 0, "the worker of the other build")
		require.InDelta(t, before[i]+60, g.workers[i].attempts(t), 0)
	}
	relieved := 0
	for _, e := range g.ingresses[0].events(t) {
		if inbox.IsRelief(e.Run) {
			relieved++
		}
	}
	require.Greater(t, relieved, total/10)
}

func contains(text []byte, what string) bool { return bytes.Contains(text, []byte(what)) }

var attemptsLine = regexp.MustCompile(`(?m)^holdfast_attempts_total\{.*\} (\d+)$`)

// attempts are those that a worker has made.
func (d *daemon) attempts(t *testing.T) (n float64) {
	t.Helper()
	_, base := d.at.get()
	answer, err := quickClient(t).Get(base + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	for _, found := range attemptsLine.FindAllSubmatch(page, -1) {
		one, err := strconv.ParseFloat(string(found[1]), 64)
		require.NoError(t, err)
		n += one
	}
	return n
}
