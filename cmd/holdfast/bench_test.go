package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench"
	"github.com/holdfast-project/holdfast/bench/verdict"
)

// benchEnv knows a secret to sign with.
func benchEnv(name string) (string, bool) { return testSecret, name == "HOLDFAST_SOURCE_REDO_SECRET" }

func TestBenchSaysAllThatIsWrongWithItsFlags(t *testing.T) {
	t.Parallel()
	r := command(t, benchEnv, "", "bench", "--workload", "wild", "--events", "0", "--duration", "0s", "--subjects", "-1", "--connections", "0",
		"--rate", "NaN", "--size", "-5", "--duplicates", "1.5", "--delay", "-1s", "--patience", "0s", "--give-up", "-1s",
		"--listen", "9099", "--url", "localhost:8080", "-o", "yaml")
	require.Error(t, r.err)
	for _, want := range []string{
		`--workload: there is no "wild"; there are accept, hot, warm, cold, calm`,
		"--events must be at least 1, not 0",
		"--events and --duration exclude each other: leave one out",
		"--duration must be a positive duration, such as 30s, not 0s",
		"--subjects must be from 0 to 10000000, not -1",
		"--connections must be from 1 to 10000, not 0",
		"--rate must be from 0 to 1000000, not NaN",
		"--size must be from 0 to 67108864 bytes, not -5",
		"--duplicates must be from 0 to 1, not 1.5",
		"--delay must be from 0s to 1h, not -1s",
		"--patience must be a positive duration, such as 30s, not 0s",
		"--give-up must be a positive duration, such as 30s, not -1s",
		`--listen must be host:port or :port, such as 127.0.0.1:9099, not "9099"`,
		"--url must look like http://127.0.0.1:8080 or http://127.0.0.1:8080/webhooks/redo",
		`--output must be table or json, not "yaml"`,
	} {
		require.ErrorContains(t, r.err, want)
	}
	require.Empty(t, r.stdout)

	require.ErrorContains(t, command(t, benchEnv, "", "bench", "stripe").err, `there is no provider "stripe": redox, redeam, redo, socialboards; for example: holdfast bench redo`)
	require.ErrorContains(t, command(t, noEnvironment, "", "bench").err, "no secret to sign with for source redo: set HOLDFAST_SOURCE_REDO_SECRET, use --secret, or start `holdfast dev`")
	require.ErrorContains(t, command(t, benchEnv, "", "bench", "redox", "--source", "clinic").err, "set HOLDFAST_SOURCE_CLINIC_TOKEN")
}

func TestBenchFlagsChangeTheNamedWorkload(t *testing.T) {
	t.Parallel()
	warm := bench.Workload{Name: "warm", Events: 10_000, Subjects: 200, Connections: 64, Size: 1024}
	calm := bench.Workload{Name: "calm", Duration: 30 * time.Second, Subjects: 200, Connections: 16, Rate: 20, Size: 1024}
	for line, change := range map[string]func(*bench.Workload){
		"":                                 func(w *bench.Workload) { *w = warm },
		"--workload calm":                  func(w *bench.Workload) { *w = calm },
		"--workload calm --events 7":       func(w *bench.Workload) { *w = calm; w.Events, w.Duration = 7, 0 },
		"--duration 1m":                    func(w *bench.Workload) { *w = warm; w.Events, w.Duration = 0, time.Minute },
		"--workload calm --rate 0":         func(w *bench.Workload) { *w = calm; w.Rate = 0 },
		"--subjects 0 --size 0":            func(w *bench.Workload) { *w = warm; w.Subjects, w.Size = 0, 0 },
		"--connections 3 --duplicates .25": func(w *bench.Workload) { *w = warm; w.Connections, w.Duplicates = 3, 0.25 },
		"--delay 5ms":                      func(w *bench.Workload) { *w = warm; w.Delay = 5 * time.Millisecond },
	} {
		var want bench.Workload
		change(&want)
		var flags benchFlags
		cmd := benchCommand(&globals{env: noEnvironment})
		cmd.ResetFlags()
		flags.add(cmd)
		require.NoError(t, cmd.ParseFlags(strings.Fields(line)))
		got, err := flags.workload(cmd)
		require.NoError(t, err)
		require.Equal(t, want, got, line)
	}
}

func TestBenchSaysWhatAWorkloadIs(t *testing.T) {
	t.Parallel()
	require.Equal(t, strings.TrimPrefix(`
  accept: 20,000 events of 2,000 subjects, over 64 connections
  hot: 5,000 events of one subject, over 1 connection
  warm: 10,000 events of 200 subjects, over 64 connections
  cold: 2,000 events, each of a subject of its own, over 64 connections
  calm: events for 30s of 200 subjects, 20 a second, over 16 connections`, "\n"), describeWorkloads())
}

func TestBenchReportForPeople(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	r := bench.Report{
		Passed: true, Accepted: bench.Speed{Events: 10_000, Seconds: 3.94, PerSecond: 2538.07, P50: 21.34, P90: 37.9, P99: 99.96, Max: 203.4},
		Delivered:  bench.Speed{Events: 10_000, Seconds: 6.5, PerSecond: 1538.5, P50: 1234.5, P90: 2000, P99: 9999, Max: 12_345},
		Duplicates: 12, Recognised: 11, Repeated: 1, Refused: 3, Unanswered: 2, CPUSeconds: 0.94,
		Notes: []string{"there is more"},
	}
	require.NoError(t, writeBench(&b, r))
	require.Equal(t, strings.TrimPrefix(`
           EVENTS  SECONDS  A SECOND  P50       P90       P99       MAX
accepted   10,000  3.9      2,538     21.3 ms   37.9 ms   100.0 ms  203 ms
delivered  10,000  6.5      1,539     1,235 ms  2,000 ms  9,999 ms  12.3 s

lost              0
out of order      0
otherwise wrong   0
duplicates        12 sent on purpose, 11 recognised
delivered again   1
sent again        3 refused, 2 without an answer
the bench itself  0.9 s of CPU

Note: there is more.

PASSED: nothing lost, nothing out of order.
`, "\n"), b.String())

	b.Reset()
	r.Passed, r.Interrupted, r.Lost, r.Problems = false, true, 2, []string{"2 lost", "1 out of order"}
	r.Findings = []verdict.Finding{{ID: verdict.ID{Subject: "redo/r1\x1b", Counter: 7}, What: "accepted and never delivered"}}
	require.NoError(t, writeBench(&b, r))
	require.True(t, strings.HasSuffix(b.String(), `
FAILED: 2 lost, 1 out of order, as far as it came before it was interrupted.
  redo/r1?, event 7: accepted and never delivered
  and 1 more
`), b.String())
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		require.Equal(t, want, thousands(n))
	}
}

func TestBenchShowsNoBarElsewhere(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	for _, out := range []io.Writer{&strings.Builder{}, file} {
		bar := newProgressBar(out)
		require.Nil(t, bar.watcher())
		bar.clear()
	}
	content, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	require.Empty(t, content)

	require.Equal(t, "[############------------]  51%  1,234 accepted  0 delivered", barLine(bench.Progress{Accepted: 1234, Fraction: 0.51}))
	require.Equal(t, "[########################] 100%  3 accepted  2 delivered", barLine(bench.Progress{Accepted: 3, Delivered: 2, Fraction: 1}))
	require.LessOrEqual(t, len(barLine(bench.Progress{Accepted: 1e7, Delivered: 1e7, Fraction: 1})), 80)
}

func TestBenchTellsWhereItIsReachedFrom(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	require.NoError(t, err)
	for listen, want := range map[string]string{"127.0.0.1:0": `^http://127\.0\.0\.1:\d+/$`, ":0": `^http://` + host + `:\d+/$`} {
		running, err := bench.Open(t.Context(), bench.Options{Provider: "redo", Listen: listen})
		require.NoError(t, err)
		require.Regexp(t, want, (&benchmark{}).destination(running))
		require.NoError(t, running.Close())
	}
}

func TestBenchNamesTheAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	taken := httptest.NewServer(nil)
	t.Cleanup(taken.Close)
	address := strings.TrimPrefix(taken.URL, "http://")
	require.ErrorContains(t, command(t, benchEnv, "", "bench", "--listen", address).err, "--listen "+address+": listen for deliveries: ")
}

func TestBenchExplainsRefusals(t *testing.T) {
	d := openDoor(t)
	r := command(t, noEnvironment, "", "bench", "--data-dir", d.dataDir, "--listen", "127.0.0.1:0", "--secret", "hunter3-wrong")
	require.ErrorContains(t, r.err, "answered 401 Unauthorized")
	require.ErrorContains(t, r.err, "Is it signed with what the source redo has as HOLDFAST_SOURCE_REDO_SECRET")
	require.NotContains(t, r.err.Error()+r.stderr, "hunter")

	// This door has nobody behind it who delivers.
	r = command(t, noEnvironment, "", "bench", "redeam", "--source", "sandbox", "--data-dir", d.dataDir, "--listen", "127.0.0.1:0", "--patience", "100ms")
	require.ErrorContains(t, r.err, "accepted an event, but within 100ms it was not delivered to http://127.0.0.1:")
	require.Regexp(t, `\n\n  HOLDFAST_ROUTES='sandbox/\*=http://127\.0\.0\.1:\d+/'\n\n`, r.err.Error())
	require.ErrorContains(t, r.err, "holdfast events show 1")
	require.Empty(t, r.stdout)

	other := httptest.NewServer(http200{})
	t.Cleanup(other.Close)
	r = command(t, benchEnv, "", "bench", "--url", other.URL, "--listen", "127.0.0.1:0", "--patience", "100ms")
	require.ErrorContains(t, r.err, other.URL+"/webhooks/redo answers, but not as Holdfast's ingress does: is that its address? --url says where it is")
}

// http200 is somebody else.
type http200 struct{}

func (http200) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }
