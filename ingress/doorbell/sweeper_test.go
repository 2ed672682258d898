package doorbell_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// keeper is an inbox with subjects that nobody rang and events that are old.
type keeper struct {
	mu     sync.Mutex
	lead   bool
	until  time.Time // when another process takes the lead; zero: never
	leads  []time.Time
	err    error
	unrung []string
	old    int
	asked  []time.Time // the befores of Unrung
	prunes []time.Time // the times of Prune
	before time.Time   // of the last Prune
}

func (k *keeper) Lead(context.Context) (bool, error) {
	k.leads = append(k.leads, time.Now())
	return k.lead && (k.until.IsZero() || time.Now().Before(k.until)), k.err
}

func (k *keeper) Unrung(_ context.Context, _, before time.Time, limit int) ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, before)
	n := min(limit, len(k.unrung))
	page := k.unrung[:n]
	k.unrung = k.unrung[n:]
	return page, nil
}

func (k *keeper) Prune(_ context.Context, before time.Time, limit int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.prunes = append(k.prunes, time.Now())
	k.before = before
	n := min(limit, k.old)
	k.old -= n
	return n, nil
}

func (k *keeper) Count(context.Context) (inbox.Counts, error) {
	return inbox.Counts{Pending: 7, Subjects: map[inbox.State]int{inbox.StateHeld: 2}}, nil
}

// chime notes when each subject was rung.
type chime struct {
	mu   sync.Mutex
	rung map[string]time.Time
}

func (c *chime) Start(subject string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rung[subject] = time.Now()
}

func (c *chime) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rung)
}

// sweeping runs a sweeper over k for some of the bubble's time.
func sweeping(t *testing.T, k *keeper, length time.Duration) (*chime, *prometheus.Registry, string) {
	t.Helper()
	registry, c, log := prometheus.NewRegistry(), &chime{rung: map[string]time.Time{}}, &bytes.Buffer{}
	s := doorbell.NewSweeper(doorbell.SweeperOptions{
		Config: doorbell.Config{SweepInterval: 30 * time.Second, Retention: 720 * time.Hour},
		Inbox:  k, Bell: c, Registry: registry, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	s.Run(ctx)
	return c, registry, log.String()
}

func TestSweepRepairsSoonAfterTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		k := &keeper{lead: true, unrung: []string{"redo/1", "redo/2"}}
		c, registry, _ := sweeping(t, k, 65*time.Second)
		require.Len(t, c.rung, 2)
		require.LessOrEqual(t, c.rung["redo/1"].Sub(start), 2*time.Second)
		require.Len(t, k.asked, 3, "at 1 s, 31 s and 61 s")
		require.Equal(t, start, k.asked[0], "who was not rung before the start is nobody's")
		require.Equal(t, start.Add(time.Second), k.asked[1], "an interval ago")
		require.InDelta(t, 2, metric(t, registry, "holdfast_swept_subjects_total", ""), 0)
		require.InDelta(t, 7, metric(t, registry, "holdfast_events_pending", ""), 0)
		require.InDelta(t, 1, metric(t, registry, "holdfast_sweeper_lead", ""), 0)
		require.InDelta(t, 2, metric(t, registry, "holdfast_subjects", "held"), 0)
		require.InDelta(t, 0, metric(t, registry, "holdfast_subjects", "retrying"), 0)
	})
}

func TestSweepIsRateLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		k := &keeper{lead: true}
		for i := range 1050 {
			k.unrung = append(k.unrung, fmt.Sprintf("redo/%d", i))
		}
		c, _, _ := sweeping(t, k, 25*time.Second)
		require.Equal(t, 1050, c.count())
		require.Equal(t, 21*time.Second, c.rung["redo/1049"].Sub(start), "50 a second")
	})
}

func TestOnlyTheLeaderSweeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{unrung: []string{"redo/1"}, old: 10}
		c, registry, log := sweeping(t, k, 5*time.Minute)
		require.Empty(t, c.rung)
		require.Empty(t, k.prunes)
		require.InDelta(t, -1, metric(t, registry, "holdfast_events_pending", ""), 0, "no series: a sum over the fleet is right")
		require.InDelta(t, 0, metric(t, registry, "holdfast_sweeper_lead", ""), 0)
		require.Empty(t, log)
	})
}

func TestALongSweepKeepsTheLeadAndEndsWithIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{lead: true, until: time.Now().Add(5 * time.Minute), old: 10}
		for i := range 50_000 {
			k.unrung = append(k.unrung, fmt.Sprintf("redo/%d", i))
		}
		c, registry, _ := sweeping(t, k, 10*time.Minute)
		for i := range len(k.leads) - 1 {
			require.LessOrEqual(t, k.leads[i+1].Sub(k.leads[i]), 30*time.Second, "long before the lease is over")
		}
		require.InDelta(t, 50*300, c.count(), 100, "another process goes on from there")
		require.Empty(t, k.prunes)
		require.InDelta(t, 0, metric(t, registry, "holdfast_sweeper_lead", ""), 0)
		require.InDelta(t, -1, metric(t, registry, "holdfast_events_pending", ""), 0)
	})
}

func TestPruneIsGentle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{lead: true, old: 1200}
		_, registry, _ := sweeping(t, k, 10*time.Second)
		require.Len(t, k.prunes, 4, "500, 500, 200, and none: a batch can be small because of its bytes")
		require.GreaterOrEqual(t, k.prunes[1].Sub(k.prunes[0]), 100*time.Millisecond)
		require.WithinDuration(t, time.Now().Add(-720*time.Hour), k.before, 10*time.Second)
		require.InDelta(t, 1200, metric(t, registry, "holdfast_pruned_events_total", ""), 0)
	})
}

func TestMountainOfOldEventsDoesNotStopTheRinging(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{lead: true, old: 1 << 40}
		sweeping(t, k, 3*time.Minute)
		require.GreaterOrEqual(t, len(k.asked), 3)
	})
}

func TestInboxThatFailsIsSweptAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{err: errors.New("away")}
		_, registry, log := sweeping(t, k, 65*time.Second)
		require.InDelta(t, 3, metric(t, registry, "holdfast_sweep_failures_total", ""), 0)
		require.Contains(t, log, "sweep cut short")
	})
}

// Not parallel: it sets environment variables.
func TestConfig(t *testing.T) {
	var config doorbell.Config
	require.NoError(t, envconfig.Process("HOLDFAST", &config))
	require.Equal(t, doorbell.Config{SweepInterval: 30 * time.Second, Retention: 720 * time.Hour}, config)
	require.NoError(t, config.Validate())

	t.Setenv("HOLDFAST_SWEEP_INTERVAL", "0s")
	t.Setenv("HOLDFAST_RETENTION", "-1h")
	require.NoError(t, envconfig.Process("HOLDFAST", &config))
	err := config.Validate()
	require.ErrorContains(t, err, "HOLDFAST_SWEEP_INTERVAL")
	require.ErrorContains(t, err, "HOLDFAST_RETENTION")
}
