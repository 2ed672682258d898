package main

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// rounds of a machine whose speed wanders, and of which each single run is off by up
// to a tenth.
func simulated(seed uint64, slowdown float64) (before, now []float64) {
	random := rand.New(rand.NewPCG(seed, 7))
	speed := 1.0
	for range 11 {
		speed *= 0.7 + 0.6*random.Float64()
		run := func() float64 { return 1000 * speed * (0.9 + 0.2*random.Float64()) }
		before, now = append(before, run()), append(now, slowdown*run())
	}
	return before, now
}

func TestNoiseIsNoRegressionAndARegressionIsNoNoise(t *testing.T) {
	t.Parallel()
	alarms, found := 0, 0
	for seed := range uint64(1000) {
		if compare(simulated(seed, 1)).slower(5) && compare(simulated(seed+5000, 1)).slower(5) { // it is asked twice
			alarms++
		}
		if compare(simulated(seed, 1.15)).slower(5) && compare(simulated(seed+5000, 1.15)).slower(5) {
			found++
		}
	}
	require.Zero(t, alarms)
	require.Greater(t, found, 800)
}

func TestChanceIsCountedRight(t *testing.T) {
	t.Parallel()
	for worse, want := range map[int]float64{11: 1.0 / 2048, 10: 12.0 / 2048, 9: 67.0 / 2048, 0: 1} {
		require.InDelta(t, want, comparison{worse: worse, rounds: 11}.accident(), 1e-9)
	}
	require.False(t, comparison{change: 0.5, worse: 9, rounds: 11}.slower(5), "by chance once in thirty")
	require.True(t, comparison{change: 0.5, worse: 10, rounds: 11}.slower(5))
	require.False(t, comparison{change: 0.049, worse: 11, rounds: 11}.slower(5), "certain, and too little")
	require.True(t, comparison{change: 0.5, worse: leastRounds + 1, rounds: leastRounds + 1}.slower(5))
}

func TestAllocationsAreComparedExactlyWhereTheyCanBe(t *testing.T) {
	t.Parallel()
	figures := func(allocations, size float64, others ...string) map[string][]float64 {
		f := map[string][]float64{"allocs/op": {allocations, allocations + 1}, "B/op": {size, size}}
		for _, other := range others {
			f[other] = []float64{20}
		}
		return f
	}
	for name, tt := range map[string]struct {
		base, now map[string][]float64
		want      int
	}{
		"Same":            {figures(30, 5000), figures(30, 5000), 0},
		"Fewer":           {figures(30, 5000), figures(20, 4000), 0},
		"AsTheWorst":      {figures(30, 5000), figures(31, 5000), 0},
		"OneMore":         {figures(30, 5000), figures(32, 5000), 1},
		"AFewBytes":       {figures(30, 5000), figures(30, 5110), 0},
		"ManyBytes":       {figures(30, 5000), figures(30, 5200), 1},
		"Both":            {figures(30, 5000), figures(40, 6000), 2},
		"SharedCommits":   {figures(100, 5000, shared), figures(105, 5200, shared), 0},
		"SharedAndLarger": {figures(100, 5000, shared), figures(110, 5400, shared), 2},
		"Nothing":         {figures(30, 5000), map[string][]float64{"B/op": {1}}, 1},
	} {
		got := 0
		for _, unit := range measured {
			got += judgeAllocations(&bytes.Buffer{}, name, unit, tt.base, tt.now)
		}
		require.Equal(t, tt.want, got, name)
	}
}

func TestOutputIsRead(t *testing.T) {
	t.Parallel()
	r := results{}
	output := []byte("goos: linux\npkg: github.com/holdfast-project/holdfast/inbox/sqlite\n" +
		"BenchmarkInbox/Append-2         \t   11710\t    136090 ns/op\t     57373 cpu-ns/op\t        31.82 events/commit\t    7705 B/op\t     143 allocs/op\n" +
		"BenchmarkInbox/Append-16         \t   10\t    1 ns/op\t 2.5 cpu-ns/op\nPASS\nBenchmarkBroken\nBenchmarkBroken says something\n")
	r.read(output)
	require.Equal(t, results{"inbox/sqlite.BenchmarkInbox/Append": {
		"ns/op": {136090, 1}, "cpu-ns/op": {57373, 2.5}, "events/commit": {31.82}, "B/op": {7705}, "allocs/op": {143},
	}}, r)
	kept := benchmarkLines.Find(output)
	require.Contains(t, string(kept), "pkg: ")
	require.NotContains(t, string(kept), "PASS")
}

// The names are split as go test splits them, at | first and then at /.
func TestOnlyTheSuspectsRunAgain(t *testing.T) {
	t.Parallel()
	expression := only([]string{"ingress.BenchmarkAccept/Door/redo", "inbox/sqlite.BenchmarkInbox/Append"})
	require.Equal(t, "^BenchmarkAccept$/^Door$/^redo$|^BenchmarkInbox$/^Append$", expression)
	_, err := regexp.Compile(expression)
	require.NoError(t, err)
}
