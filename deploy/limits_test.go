package deploy_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// What a worker that stops needs after its last attempt has begun: ten seconds
	// for the claim and settle around it, and what every process needs.
	aroundAttempt = 10 * time.Second
	// What every process needs to stop: ten seconds for requests in hand, three for
	// the last rings, ten for the operator's own requests.
	afterWork = 23 * time.Second
)

// stopTime is how long a process with these settings may take to stop.
func stopTime(t *testing.T, env environment) time.Duration {
	t.Helper()
	total := afterWork
	if delivery, ok := env["HOLDFAST_DELIVERY_TIMEOUT"]; ok {
		total += duration(t, delivery) + aroundAttempt
	}
	if delay, ok := env["HOLDFAST_DRAIN_DELAY"]; ok {
		total += duration(t, delay)
	}
	return total
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

// bytesOf reads 1024M as Compose, 1Gi as Kubernetes and 900MiB as Go mean it.
func bytesOf(t *testing.T, s string) int64 {
	t.Helper()
	for unit, size := range map[string]int64{"MiB": 1 << 20, "GiB": 1 << 30, "Mi": 1 << 20, "Gi": 1 << 30, "M": 1 << 20} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			require.NoError(t, err)
			return n * size
		}
	}
	require.FailNow(t, "no size", s)
	return 0
}

// checkMemory checks that what bodies may hold fits into a process's memory, and that
// the collector works before the kernel kills.
func checkMemory(t *testing.T, env environment, limit string) {
	t.Helper()
	soft, hard := bytesOf(t, env["GOMEMLIMIT"]), bytesOf(t, limit)
	require.Less(t, soft, hard)
	require.GreaterOrEqual(t, soft, hard*8/10, "memory that is paid for and not used")
	if bodies, ok := env["HOLDFAST_MAX_BODIES_IN_FLIGHT"]; ok {
		n, err := strconv.ParseInt(bodies, 10, 64)
		require.NoError(t, err)
		require.GreaterOrEqual(t, soft, 3*n)
	}
}

func TestProcessesAreGivenTimeToStop(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	for _, name := range []string{"ingress-1", "ingress-2", "worker-1", "worker-2"} {
		require.Greater(t, duration(t, c.Services[name].StopGracePeriod), stopTime(t, c.environment(t, name)), name)
	}
	for _, values := range valueSets(t) {
		all := render(t, values)
		for _, role := range []string{"ingress", "worker"} {
			p := all.deployment(t, role)
			grace := time.Duration(p.TerminationGracePeriodSeconds) * time.Second
			require.Greater(t, grace, stopTime(t, p.container().environment(t)), "%s: %s", values, role)
		}
	}
}

func TestMemoryFits(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	for _, name := range []string{"ingress-1", "ingress-2", "worker-1", "worker-2"} {
		checkMemory(t, c.environment(t, name), c.Services[name].Deploy.Resources.Limits.Memory)
	}
	for _, values := range valueSets(t) {
		all := render(t, values)
		for _, role := range []string{"ingress", "worker"} {
			box := all.deployment(t, role).container()
			checkMemory(t, box.environment(t), box.Resources.Limits["memory"])
		}
	}
}

func TestConnectionsFitIntoTheDatabase(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	room, err := strconv.Atoi(matches(`max_connections=(\d+)`, strings.Join(c.Services["postgres"].Command, " "))[0])
	require.NoError(t, err)
	perProcess, err := strconv.Atoi(settingsFiles(t, "common.env")["HOLDFAST_INBOX_CONNECTIONS"])
	require.NoError(t, err)
	// Each of the four services of Temporal takes up to 20, and 10 for visibility.
	require.Greater(t, room, 5*perProcess+4*(20+10))
}
