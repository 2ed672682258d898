package main

import (
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/fleet/fleettest"
	"github.com/holdfast-project/holdfast/inbox/relief"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	env := func(values map[string]string) func(string) string {
		return func(name string) string { return values[name] }
	}
	s, folder, err := options(nil, env(nil))
	require.NoError(t, err)
	require.Equal(t, 5*time.Minute, s.load)
	require.Equal(t, 5, s.faults)
	require.Equal(t, "data/chaos", folder)
	require.Equal(t, relief.Off, s.relief)

	s, _, err = options(nil, env(map[string]string{"CHAOS_MINUTES": "60", "CHAOS_SEED": "7"}))
	require.NoError(t, err)
	require.Equal(t, time.Hour, s.load)
	require.Equal(t, uint64(7), s.seed)

	s, _, err = options([]string{"-short", "-seed", "8"}, env(map[string]string{"CHAOS_SEED": "7"}))
	require.NoError(t, err)
	require.Equal(t, shortLoad, s.load)
	require.Equal(t, uint64(8), s.seed)

	_, _, err = options(nil, env(map[string]string{"CHAOS_MINUTES": "soon"}))
	require.ErrorContains(t, err, "CHAOS_MINUTES")
	s, _, err = options(nil, env(map[string]string{"CHAOS_RELIEF": "always"}))
	require.NoError(t, err)
	require.Equal(t, relief.Always, s.relief)
	_, _, err = options(nil, env(map[string]string{"CHAOS_RELIEF": "sometimes"}))
	require.ErrorContains(t, err, "CHAOS_RELIEF")
	_, _, err = options([]string{"-rate", "0"}, env(nil))
	require.Error(t, err)
}

// The whole of it, without a fault, and with a destination that leaves no trace of
// one event: if the verdict finds nothing there, it would find nothing anywhere.
func TestE2EALostEventIsFound(t *testing.T) {
	t.Parallel()
	root, dir, programs := fleettest.Setup(t)
	var forgotten atomic.Int32
	forget := func(d verdict.Delivery) bool {
		return d.Counter == 1 && d.Subject == "s0003" && forgotten.Add(1) > 0
	}
	r, err := newRig(t.Context(), setup{
		root: root, dir: dir, programs: programs, seed: 1, load: 5 * time.Second, subjects: 10, rate: 20, relief: relief.Auto,
		log: slog.New(slog.DiscardHandler),
	}, forget)
	require.NoError(t, err)
	record, err := r.run(t.Context())
	require.NoError(t, err)
	require.NoError(t, r.close())

	figures := verdict.Judge(record)
	require.Positive(t, forgotten.Load(), "5 seconds of load have not come so far")
	require.Equal(t, []verdict.Finding{{ID: verdict.ID{Subject: "s0003", Counter: 1}, What: "accepted and never delivered"}}, figures.Lost)
	require.False(t, figures.Passed)
	require.Empty(t, figures.Repeated.Unexplained)
	require.Empty(t, figures.Wrong)
	require.Greater(t, figures.Accepted, 10)
	require.Equal(t, figures.Accepted-1, figures.Delivered)

	path, err := keep(figures, filepath.Join(dir, "figures"), relief.Auto)
	require.NoError(t, err)
	require.FileExists(t, path)
}
