package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

// TestE2EHalfOfAFleetStops: an ingress and a worker are stopped under load, as a
// deploy does. Nothing that was answered with a 2xx is lost, nothing is repeated, and
// both end well and in time.
func TestE2EHalfOfAFleetStops(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			g := newGroup(t, "halved"+string(mode), postgrestest.Database(t), 2, 2, in(mode, map[string]string{"HOLDFAST_DRAIN_DELAY": "500ms"}))
			// Slow enough that deliveries are in hand whenever a worker is stopped.
			g.destination.obey(func(delivery) answer {
				over := make(chan struct{})
				time.AfterFunc(50*time.Millisecond, func() { close(over) })
				return answer{wait: over}
			})
			g.start(t)
			receipts := g.load(t.Context(), t, 20, 20)
			until(t, "the load to be under way", func() bool { return len(g.destination.deliveries("")) > 100 })
			for _, d := range []*daemon{g.ingresses[0], g.workers[0]} {
				began := time.Now()
				require.Zero(t, d.stop(t, syscall.SIGTERM))
				require.Less(t, time.Since(began), 30*time.Second, "delivery timeout, its margin, and the last rings")
			}
			accepted := receipts()
			g.ingresses[1].settled(t)
			g.destination.requireOnceInOrder(t, accepted)
			for _, e := range g.ingresses[1].events(t) {
				require.Equal(t, 1, e.Attempts)
			}
			g.ingresses[1].requireRelieved(t, mode)
		})
	}
}

// TestE2EPostgreSQLIsAway: the ingress says so and is not ready, the worker waits
// and blames no event, and both go on by themselves when it is back. The ingress
// even starts without it.
func TestE2EPostgreSQLIsAway(t *testing.T) {
	t.Parallel()
	for _, mode := range apart {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			server := postgrestest.New(t, postgrestest.Options{})
			require.NoError(t, server.CreateDatabase(t.Context(), "holdfast"))
			require.NoError(t, server.Stop())
			inbox := strings.Replace(server.URL("holdfast"), "@", ":hunter2-hunter2@", 1) // any will do there
			g := newGroup(t, "outage"+string(mode), inbox, 1, 1, in(mode, nil))
			file := filepath.Join(t.TempDir(), "inbox")
			require.NoError(t, os.WriteFile(file, []byte(inbox+"\n"), 0o600))
			delete(g.ingresses[0].env, "HOLDFAST_INBOX")
			g.ingresses[0].env["HOLDFAST_INBOX_FILE"] = file
			g.start(t)
			door, worker := g.ingresses[0], g.workers[0]
			requireAway := func() {
				t.Helper()
				for _, d := range []*daemon{door, worker} {
					until(t, "readiness to turn red", func() bool {
						status, told := d.readiness(t)
						require.NotContains(t, told.Checks["inbox"], "hunter2")
						return status == http.StatusServiceUnavailable && told.Checks["inbox"] != "ok"
					})
				}
				status, header := g.knock(t)
				require.Equal(t, http.StatusServiceUnavailable, status)
				require.NotEmpty(t, header.Get("Retry-After"))
			}
			requireBack := func() {
				t.Helper()
				for _, d := range []*daemon{door, worker} {
					until(t, "readiness to turn green", func() bool { status, _ := d.readiness(t); return status == http.StatusOK })
				}
			}
			requireAway()
			require.NoError(t, server.Restart(t.Context()))
			requireBack()

			receipts := g.load(t.Context(), t, 10, 10)
			until(t, "some deliveries", func() bool { return len(g.destination.deliveries("")) > 20 })
			require.NoError(t, server.Crash())
			requireAway()
			during := g.destination.deliveries("")
			require.NoError(t, server.Restart(t.Context()))
			requireBack()
			accepted := receipts()
			door.settled(t)
			for _, e := range door.events(t) {
				require.Equal(t, "delivered", e.Status, "%d: %s", e.Sequence, e.Reason)
			}
			// What was in hand at the crash may come again, once for each subject.
			repeats := g.destination.requireInOrder(t, accepted, 1)
			t.Logf("%d deliveries before PostgreSQL was back, %d repeated", len(during), repeats)
			require.NotContains(t, string(worker.printed(t)), "subject held")
			require.False(t, door.over() || worker.over(), "no process had to be started again")
			require.NotContains(t, string(worker.printed(t))+string(door.printed(t)), "hunter2")
		})
	}
}

// TestE2ERunsMoveToTheCurrentBuild: while the workers of two builds run, one command
// moves new subjects and running ones to the other build, and back.
func TestE2ERunsMoveToTheCurrentBuild(t *testing.T) {
	t.Parallel()
	const source = "moving"
	g := newGroup(t, source, postgrestest.Database(t), 1, 2, map[string]string{"HOLDFAST_DEPLOYMENT": source})
	g.workers[0].env["HOLDFAST_BUILD_ID"], g.workers[1].env["HOLDFAST_BUILD_ID"] = "v1", "v2"
	setCurrent := func(build string) {
		t.Helper()
		status, printed := g.workers[0].deployment(t, "set-current", "--build-id", build, "--wait", "2m")
		require.Zero(t, status, printed)
	}
	g.destination.obey(func(delivery) answer { return answer{status: http.StatusForbidden} })
	g.start(t)
	door := g.ingresses[0]
	receipts := map[string][]ingress.ReceiptJSON{}
	send := func(subject string) {
		receipts[source+"/"+subject] = append(receipts[source+"/"+subject], g.sender(t, 0).send(t, subject, 0, 2)...)
	}
	requireBuild := func(subject, build string) {
		t.Helper()
		until(t, subject+" to be of "+build, func() bool { _, now := buildOf(t, source+"/"+subject); return now == build })
	}

	setCurrent("v1")
	send("held")
	until(t, "the subject to be held", func() bool { return door.subject(t, source+"/held").State == "held" })
	requireBuild("held", "v1")
	g.destination.obey(func(delivery) answer { return answer{status: http.StatusServiceUnavailable} })
	send("retrying")
	until(t, "the subject to be tried again and again", func() bool { return door.events(t, "subject", source+"/retrying")[0].Attempts > 2 })
	requireBuild("retrying", "v1")

	setCurrent("v2")
	g.destination.obey(nil)
	send("new")
	require.NoError(t, door.operator(t).post(t.Context(), operator.PathSubjectResume, values("id", source+"/held"), operator.VerbRequest{}, &operator.SubjectJSON{}))
	door.settled(t)
	for _, subject := range []string{"held", "retrying", "new"} {
		requireBuild(subject, "v2")
	}
	// What v1 has is nothing: it can be stopped.
	require.Zero(t, g.workers[0].stop(t, syscall.SIGTERM))
	g.destination.requireOnceInOrder(t, receipts)

	g.workers[0].start(t)
	setCurrent("v1")
	send("again")
	door.settled(t)
	requireBuild("again", "v1")
	builds := g.workers[0].builds(t)
	require.Equal(t, "current", builds["v1"].State, "to go back is the same command")
	require.Contains(t, []string{"draining", "drained"}, builds["v2"].State)
	g.destination.requireOnceInOrder(t, receipts)
}

// TestE2EMigrate: it says from where to where, and a process that may not migrate
// says what to run.
func TestE2EMigrate(t *testing.T) {
	t.Parallel()
	inbox := postgrestest.Database(t)
	settings := map[string]string{"HOLDFAST_INBOX": inbox, "HOLDFAST_MIGRATE": "false"}
	d := newDaemon(t, redoSource("schema", "http://127.0.0.1:1", settings), "ingress")
	d.program.start(t)
	require.Equal(t, 1, d.wait(t))
	require.Contains(t, string(d.recent(t)), "holdfast migrate")

	run := func(args ...string) (status int, printed string) {
		t.Helper()
		p := newProgram(t, t.TempDir(), settings, append([]string{"migrate"}, args...)...)
		p.start(t)
		return p.wait(t), string(p.printed(t))
	}
	status, printed := run()
	require.Zero(t, status, printed)
	require.Regexp(t, `was at version 0 and is at version \d+\.`, printed)
	status, printed = run()
	require.Zero(t, status, printed)
	require.Regexp(t, `is up to date: version \d+\.`, printed)
	d.start(t)

	settings["HOLDFAST_INBOX"] = strings.Replace(inbox, "/test_", "/none_", 1)
	status, printed = run()
	require.Equal(t, 1, status, "a database that is not there is for a person to mend")
	require.Contains(t, printed, "does not exist")
	settings["HOLDFAST_INBOX"] = "postgres://ann:hunter2@127.0.0.1:" + freshPort(t) + "/holdfast"
	status, printed = run("--wait", "1ms")
	require.Equal(t, 1, status)
	require.NotContains(t, printed, "hunter2")
	settings["HOLDFAST_INBOX"] = "sqlite:" + t.TempDir() + "/inbox.db"
	status, printed = run()
	require.Zero(t, status, printed)
	require.Contains(t, printed, "up to date")
}
