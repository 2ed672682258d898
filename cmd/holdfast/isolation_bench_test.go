package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/kelseyhightower/envconfig"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// The calm traffic whose delay is measured: so many events a second, over so many
// subjects, for so long.
const (
	calmRate     = 20
	calmSubjects = 100
	calmTime     = 20 * time.Second
	calmEvents   = int(calmTime/time.Second) * calmRate
)

// BenchmarkIsolation measures how long an event of calm traffic takes from its
// append to its delivery, alone and with trouble beside it: promise 5 in figures.
// Each case is the median of as many runs as -count asks for; run it with
//
//	go test ./cmd/holdfast -run '^$' -bench Isolation -benchtime 1x -count 3
func BenchmarkIsolation(b *testing.B) {
	for _, server := range []struct {
		name string
		args []string
	}{
		{"Plain", nil},
		{"Fairness", []string{
			"--dynamic-config-value", "matching.useNewMatcher=true",
			"--dynamic-config-value", "matching.enableFairness=true",
		}},
	} {
		for _, c := range []struct {
			name    string
			trouble func(context.Context, *isolation)
		}{
			{"Alone", func(context.Context, *isolation) {}},
			// One source's flood, over few and over many subjects: at a rate that leaves the
			// machine some time, and as fast as it can, which leaves none.
			{"Steady200", func(ctx context.Context, i *isolation) { i.flood(ctx, "flood/%d", 200, 20_000, 1_000) }},
			{"Flood200", func(ctx context.Context, i *isolation) { i.flood(ctx, "flood/%d", 200, 20_000, 0) }},
			{"Flood20000", func(ctx context.Context, i *isolation) { i.flood(ctx, "flood/%d", 20_000, 20_000, 0) }},
			// Subjects of a destination that hangs: while they come, and when they are there
			// and wait. Those are the calm source's, so that only the destination tells them
			// apart.
			{"Hang2000Burst", func(ctx context.Context, i *isolation) { i.flood(ctx, "flood/stuck-%d", 2_000, 2_000, 0) }},
			{"Hang2000", func(ctx context.Context, i *isolation) { i.flood(ctx, "calm/stuck-%d", 2_000, 2_000, 0); i.settle(ctx) }},
		} {
			b.Run(server.name+"/"+c.name, func(b *testing.B) {
				for range b.N {
					i := newIsolation(b, server.args)
					i.run(c.trouble, c.name == "Hang2000")
				}
			})
		}
	}
}

// isolation is a whole Holdfast in this process, with a Temporal server of its own.
type isolation struct {
	b       *testing.B
	process *process

	mu        sync.Mutex
	appended  map[string]time.Time
	delivered map[string]time.Duration
	all       chan struct{} // closed when all calm events are delivered
}

func newIsolation(b *testing.B, args []string) *isolation {
	b.Helper()
	server, err := temporaltest.Start(args...)
	require.NoError(b, err)
	b.Cleanup(func() { server.Client().Close(); require.NoError(b, server.Stop()) })
	i := &isolation{b: b, appended: map[string]time.Time{}, delivered: map[string]time.Duration{}, all: make(chan struct{})}
	calm := httptest.NewServer(http.HandlerFunc(i.deliver))
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	b.Cleanup(calm.Close)
	b.Cleanup(func() { stuck.CloseClientConnections(); stuck.Close() })

	s := processSettings{roles: roles{ingress: true, worker: true}, temporal: client.Options{HostPort: server.FrontendHostPort()}}
	for _, spec := range []any{&s.common, &s.door, &s.operator, &s.sweeper, &s.work, &s.tuning} {
		require.NoError(b, envconfig.Process("ISOLATION", spec)) // the defaults
	}
	s.common.Inbox = inboxURL(sqliteScheme + filepath.Join(b.TempDir(), "inbox.db"))
	s.door.Listen, s.operator.OperatorListen = "127.0.0.1:0", "127.0.0.1:0"
	log := slog.New(slog.DiscardHandler)
	s.destinations = activities.NewDestinations(s.work, log)
	s.routes, err = activities.NewRoutes([]string{"*/stuck=" + stuck.URL, "*=" + calm.URL}, s.destinations, nil)
	require.NoError(b, err)
	i.process, err = newProcess(b.Context(), s, log)
	require.NoError(b, err)
	b.Cleanup(i.process.close)
	return i
}

// run measures the calm traffic beside a trouble, and reports its delays.
func (i *isolation) run(trouble func(context.Context, *isolation), waits bool) {
	ctx, cancel := context.WithTimeout(i.b.Context(), 10*time.Minute)
	defer cancel()
	var work sync.WaitGroup
	work.Go(func() { _ = i.process.serve(ctx) })
	for i.process.worker.ready(ctx) != nil {
		require.True(i.b, sleep(ctx, glance))
	}
	began := make(chan struct{})
	work.Go(func() { defer close(began); trouble(ctx, i) })
	if waits {
		<-began
	} else {
		require.True(i.b, sleep(ctx, time.Second))
	}
	tick := time.NewTicker(time.Second / calmRate)
	defer tick.Stop()
	for n := range calmEvents {
		<-tick.C
		i.append(ctx, fmt.Sprintf("calm/%d", n%calmSubjects), "calm")
	}
	select {
	case <-i.all:
	case <-ctx.Done():
		require.Fail(i.b, "calm events were not delivered")
	}
	cancel()
	work.Wait()
	i.report()
}

func (i *isolation) report() {
	delays := make([]time.Duration, 0, calmEvents)
	for _, d := range i.delivered {
		delays = append(delays, d)
	}
	slices.Sort(delays)
	milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	i.b.ReportMetric(milliseconds(delays[len(delays)/2]), "p50-ms")
	i.b.ReportMetric(milliseconds(delays[len(delays)*99/100]), "p99-ms")
	i.b.ReportMetric(milliseconds(delays[len(delays)-1]), "max-ms")
	i.b.ReportMetric(0, "ns/op") // says nothing here
}

// append accepts an event as the door does.
func (i *isolation) append(ctx context.Context, subject, kind string) {
	source := "flood"
	if subject[:4] == "calm" {
		source = "calm"
	}
	e := inbox.NewEvent{
		EventID: uuid.NewString(), Source: source, Provider: "redo", Subject: subject, SubjectName: subject,
		Type: kind, Key: uuid.NewString(), ReceivedAt: time.Now(),
	}
	if kind == "calm" {
		i.mu.Lock()
		i.appended[e.EventID] = time.Now()
		i.mu.Unlock()
	}
	receipts, err := i.process.entrance.Append(ctx, inbox.Delivery{ContentType: "application/json", Body: []byte(`{}`), Events: []inbox.NewEvent{e}})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		i.b.Error(err)
		return
	}
	if receipts[0].Ring {
		i.process.ringer.Ring(subject)
	}
}

// deliver is the destination of all that does not hang.
func (i *isolation) deliver(_ http.ResponseWriter, r *http.Request) {
	now := time.Now()
	_, _ = io.Copy(io.Discard, r.Body)
	id := r.Header.Get(activities.HeaderEventID)
	i.mu.Lock()
	defer i.mu.Unlock()
	at, calm := i.appended[id]
	if _, again := i.delivered[id]; !calm || again {
		return
	}
	i.delivered[id] = now.Sub(at)
	if len(i.delivered) == calmEvents {
		close(i.all)
	}
}
