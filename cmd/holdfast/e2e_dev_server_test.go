package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestE2EDevServerIsThin: the settings of the server that dev starts have the effect
// that they are there for, which a new version of it may take away without a word.
func TestE2EDevServerIsThin(t *testing.T) {
	t.Parallel()
	const events = 100
	destination := newRecorder(t, nil)
	d := newDev(t, filepath.Join(t.TempDir(), "data"), redoSource("dev", destination.url, nil))
	d.start(t)
	s := newSender(t, d.daemon, "dev")
	s.send(t, "first", 0, 1)
	d.settled(t)
	metrics := metricsOf(t, filepath.Join(d.data, "temporal.log"))

	before, began := requests(t, metrics), time.Now()
	_, err := s.all(t.Context(), manySubjects("r", events), 1, 16)
	require.NoError(t, err)
	d.settled(t)
	after, took := requests(t, metrics), time.Since(began).Seconds()
	done := func(operation string) float64 { return after[operation] - before[operation] }

	require.Positive(t, done("CreateWorkflowExecution"), "it counts")
	require.Less(t, done("GetCurrentClusterMetadata"), events/2.0, "search attributes are remembered; six reads for each run otherwise")
	require.Less(t, done("GetVisibilityTasks"), 10+4*took, "the list of runs is written twice a second; twenty times otherwise")

	header := make([]byte, 20)
	database, err := os.Open(filepath.Join(d.data, "temporal.db"))
	require.NoError(t, err)
	defer database.Close()
	_, err = io.ReadFull(database, header)
	require.NoError(t, err)
	require.Equal(t, []byte{2, 2}, header[18:], "the database has a write-ahead log")
}

var metricsLine = regexp.MustCompile(`Metrics: +http://[^:]+(:\d+/metrics)`)

// metricsOf is where a server says that its metrics are, a while after it serves.
func metricsOf(t *testing.T, log string) (address string) {
	t.Helper()
	until(t, "the address of the server's metrics", func() bool {
		content, err := os.ReadFile(log)
		require.NoError(t, err)
		found := metricsLine.FindSubmatch(content)
		if found != nil {
			address = "http://127.0.0.1" + string(found[1])
		}
		return found != nil
	})
	return address
}

var persistenceRequests = regexp.MustCompile(`(?m)^persistence_requests\{.*operation="(\w+)".*\} (\S+)$`)

// requests are what a server has asked of its database, by kind.
func requests(t *testing.T, metrics string) map[string]float64 {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, metrics, nil)
	require.NoError(t, err)
	answer, err := quickClient(t).Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	all := map[string]float64{}
	for _, line := range persistenceRequests.FindAllSubmatch(body, -1) {
		n, err := strconv.ParseFloat(string(line[2]), 64)
		require.NoError(t, err, "%s", line[0])
		all[string(line[1])] += n
	}
	return all
}
