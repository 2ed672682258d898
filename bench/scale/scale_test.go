package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(postgrestest.Stopping(m)) }

// holdfast builds the program of this checkout.
func holdfast(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "holdfast")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/holdfast")
	build.Dir = filepath.Join("..", "..")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	return path
}

// inboxes are two empty ones of each kind.
func inboxes(t *testing.T) map[string][2]string {
	t.Helper()
	dir := t.TempDir()
	return map[string][2]string{
		"sqlite":   {"sqlite:" + filepath.Join(dir, "one.db"), "sqlite:" + filepath.Join(dir, "two.db")},
		"postgres": {postgrestest.Database(t), postgrestest.Database(t)},
	}
}

// TestE2EEachCaseAtAThousandthOfItsSize runs all that there is to run, so that it still
// runs when somebody wants its figures.
func TestE2EEachCaseAtAThousandthOfItsSize(t *testing.T) {
	t.Parallel()
	cli, err := temporaltest.CLI()
	require.NoError(t, err)
	program := holdfast(t)
	for kind, urls := range inboxes(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var out, told bytes.Buffer
			err := run(t.Context(), []string{
				"-inbox", urls[0], "-against", urls[1], "-holdfast", program, "-size", "1000",
				"-probe", "50ms", "-calm", "500ms", "-sample", "100ms", "-load", "200", "-rounds", "1",
				"history", "backlog", "crowd", "restart",
			}, func(name string) string { return map[string]string{"TEMPORAL_CLI": cli}[name] }, &out, &told)
			require.NoError(t, err, told.String())
			results := map[string]result{}
			for lines := json.NewDecoder(&out); lines.More(); {
				var r result
				require.NoError(t, lines.Decode(&r))
				require.True(t, r.Passed)
				require.Equal(t, kind, r.Inbox)
				results[r.Case] = r
			}
			require.Len(t, results, 4)
			for _, name := range []string{"backlog", "crowd", "restart"} {
				d := results[name].Drain
				require.Equal(t, 1000, d.Events, name)
				require.Positive(t, d.PerSecond, name)
				require.Positive(t, d.CPU.Holdfast, name)
				require.Greater(t, d.RSS.Max, d.Heap.Max, name)
				require.NotEmpty(t, d.Samples, name)
			}
			require.Len(t, results["restart"].Drain.Tenths, 10)
			require.GreaterOrEqual(t, results["backlog"].Before.Events, 10)
			require.Positive(t, results["backlog"].During.Events)
			require.Equal(t, 1000, results["crowd"].Accepted.Events)
			for _, side := range []*turns{results["history"].Full, results["history"].Empty} {
				require.Len(t, side.Turns, 1)
				require.Positive(t, side.Median.Accepts)
				require.Positive(t, side.Median.Drains)
				require.Positive(t, side.Median.AcceptCost.Holdfast)
			}
			require.Equal(t, kind == "postgres", results["restart"].Drain.CPU.Database > 0)
			require.Contains(t, told.String(), "full to empty")
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	env := func(string) string { return "temporal" }
	o, err := readOptions([]string{"-inbox", "sqlite:a", "backlog"}, env, &bytes.Buffer{})
	require.NoError(t, err)
	require.Equal(t, 1_000_000, newResult("backlog", o).Size)
	require.Equal(t, 10_000_000, newResult("history", o).Size)
	for problem, args := range map[string][]string{
		"name a case":              {"-inbox", "sqlite:a"},
		`there is no case "cold"`:  {"-inbox", "sqlite:a", "cold"},
		"-inbox is missing":        {"crowd"},
		"history needs -against":   {"-inbox", "sqlite:a", "-against", "sqlite:a", "history"},
		"greater than 0":           {"-inbox", "sqlite:a", "-size", "0", "crowd"},
		`"on" is none of off, aut`: {"-inbox", "sqlite:a", "-relief", "on", "crowd"},
	} {
		_, err := readOptions(args, env, &bytes.Buffer{})
		require.ErrorContains(t, err, problem)
	}
	_, err = readOptions([]string{"-inbox", "sqlite:a", "crowd"}, func(string) string { return "" }, &bytes.Buffer{})
	require.ErrorContains(t, err, "TEMPORAL_CLI")
}

// TestAnInboxAtWorkIsRefused: what waits there would be delivered as ours, or lost.
func TestAnInboxAtWorkIsRefused(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "inbox.db")
	store, err := openStore(t.Context(), url)
	require.NoError(t, err)
	require.NoError(t, newFiller(store, "redo").append(t.Context(), 1, "redo/r1"))
	require.NoError(t, store.Close())
	s := &scale{options: options{inbox: url, size: 1}, tell: os.Stderr}
	for name, one := range cases() {
		err := one(s, context.Background(), newResult(name, s.options))
		require.ErrorContains(t, err, "1 events are pending", name)
	}
}
