package bench_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench"
)

// Each misbehaves once, with the second event of a subject: if the verdict finds
// nothing there, it would find nothing anywhere.
func TestAMisbehavingHoldfastIsFoundOut(t *testing.T) {
	t.Parallel()
	type outcome struct {
		lost, outOfOrder, wrong, repeated int
		what                              string
	}
	for name, c := range map[string]struct {
		misbehave func(h *house, d delivery)
		want      outcome
	}{
		"Forgets": {
			func(*house, delivery) {},
			// What comes after it was begun before it was done.
			outcome{lost: 1, outOfOrder: 1, what: "accepted and never delivered"},
		},
		"DeliversAnotherBody": {
			func(h *house, d delivery) {
				d.body = bytes.Replace(d.body, []byte(`"updated"`), []byte(`"changed"`), 1)
				h.post(d)
			},
			outcome{wrong: 1, what: "delivered with another body than was sent"},
		},
		"DeliversWithAnotherKey": {
			func(h *house, d delivery) { d.key = "another"; h.post(d) },
			outcome{wrong: 1, what: "delivered with another key or sequence than its sender was told"},
		},
		"DeliversWithASmallSequence": {
			func(h *house, d delivery) { d.sequence = 1; h.post(d) },
			outcome{outOfOrder: 1, wrong: 1, what: "has a sequence that is not greater than that of the event before it"},
		},
		"DeliversAsAnotherSubjects": {
			func(h *house, d delivery) { d.subject = "source/another"; h.post(d) },
			outcome{wrong: 1, what: "delivered as an event of another subject than the one before it"},
		},
		"DeliversAgain": {
			// At least once is what is promised.
			func(h *house, d delivery) { h.post(d); h.post(d) },
			outcome{repeated: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := redoHouse(t)
			var seen atomic.Int32
			h.deliver = func(h *house, d delivery) {
				if seen.Add(1) == 2 {
					c.misbehave(h, d)
					return
				}
				h.post(d)
			}
			o := bench.Options{Workload: bench.Workload{Events: 5, Subjects: 1}}
			if c.want.lost > 0 {
				o.GiveUp = 8 * time.Second // nothing more will come
			}
			r := measure(t, o, h)
			require.Equal(t, c.want.lost, r.Lost)
			require.Equal(t, c.want.outOfOrder, r.OutOfOrder)
			require.Equal(t, c.want.wrong, r.Wrong)
			require.Equal(t, c.want.repeated, r.Repeated)
			require.Equal(t, c.want.what == "", r.Passed)
			require.Equal(t, r.Passed, len(r.Problems) == 0)
			require.Len(t, r.Findings, c.want.lost+c.want.outOfOrder+c.want.wrong)
			var said []string
			for _, found := range r.Findings {
				said = append(said, found.What)
				require.Contains(t, found.Subject, "source/bench-", "as Holdfast calls it")
			}
			if c.want.what != "" {
				require.Contains(t, said, c.want.what)
			}
		})
	}
}

// The second event is delivered while the first is still in hand: in order, and yet
// not one at a time.
func TestTwoAtATimeAreOutOfOrder(t *testing.T) {
	t.Parallel()
	h := redoHouse(t)
	started := make(chan struct{})
	var once sync.Once
	var early sync.WaitGroup
	t.Cleanup(early.Wait)
	h.deliver = func(h *house, d delivery) {
		if d.first {
			early.Go(func() { once.Do(func() { close(started) }); h.post(d) })
			return
		}
		<-started
		h.post(d)
	}
	// The destination takes long enough for the second to be accepted and delivered.
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 2, Subjects: 1, Delay: 8 * time.Second}}, h)
	require.Equal(t, 1, r.OutOfOrder)
	require.False(t, r.Passed)
	require.Contains(t, r.Findings[0].What, "before the event before it was done")
}

func TestADoorThatKnowsNoDuplicatesIsFoundOut(t *testing.T) {
	t.Parallel()
	h := redoHouse(t)
	h.forgetful = true
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 10, Subjects: 2, Connections: 2, Duplicates: 1}}, h)
	require.False(t, r.Passed)
	require.Equal(t, 10, r.Duplicates)
	require.Zero(t, r.Recognised)
	require.GreaterOrEqual(t, r.Wrong, 10)
	require.LessOrEqual(t, len(r.Findings), 20)
}

func TestSendersInsist(t *testing.T) {
	t.Parallel()
	h := redoHouse(t)
	h.refuse = func(n int) int {
		if n == 1 || n > 12 { // the first one only finds out whether all is set up
			return 0
		}
		return []int{0, http.StatusServiceUnavailable, -1, http.StatusTooManyRequests}[n%4]
	}
	r := measure(t, bench.Options{Workload: bench.Workload{Events: 20, Subjects: 5, Connections: 5}}, h)
	require.Empty(t, r.Problems)
	require.Equal(t, 20, r.Delivered.Events)
	require.Equal(t, 5, r.Refused)
	require.Equal(t, 3, r.Unanswered)
	require.GreaterOrEqual(t, r.Accepted.Max, 125.0, "the wait is part of the time that it took")
}

func TestSendingIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		giveUp time.Duration
	}{
		"WhenItIsRefusedForGood":   {http.StatusUnauthorized, patience},
		"WhenItIsRefusedTooLong":   {http.StatusServiceUnavailable, 5 * time.Second},
		"WhenAnAnswerIsARedirect":  {http.StatusTemporaryRedirect, patience},
		"WhenItSaysNotImplemented": {http.StatusNotImplemented, patience},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := redoHouse(t)
			h.refuse = func(n int) int {
				if n <= 11 {
					return 0
				}
				return c.status
			}
			r := measure(t, bench.Options{GiveUp: c.giveUp, Workload: bench.Workload{Events: 1000, Subjects: 3, Connections: 3}}, h)
			require.False(t, r.Passed)
			// The other two senders may have been waiting for an answer.
			require.InDelta(t, 9, r.Accepted.Events, 1)
			require.GreaterOrEqual(t, r.Delivered.Events, r.Accepted.Events, "what was accepted is waited for")
			require.Less(t, r.Sent, 20)
			if c.giveUp == patience {
				require.LessOrEqual(t, r.Refused, 3, "no sender came again")
			}
			require.Len(t, r.Problems, 1)
			require.Contains(t, r.Problems[0], "sending was given up: "+h.url+" answered ")
			require.NotContains(t, r.Problems[0], secret)
		})
	}
}

// Programs read the report: a field is added, and never renamed or taken away.
func TestTheReportsFieldsStay(t *testing.T) {
	t.Parallel()
	content, err := json.MarshalIndent(measure(t, bench.Options{Workload: bench.Workload{Name: "n", Events: 1, Subjects: 1}}, redoHouse(t)), "", " ")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(content))
	var names []string
	for depth, isName := 0, false; ; {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				depth, isName = depth+1, true
			case '}':
				depth, isName = depth-1, true
			case ']':
				isName = true
			}
		default:
			if isName {
				names = append(names, token.(string))
			}
			isName = !isName
		}
	}
	require.Equal(t, []string{
		"passed", "problems", "notes",
		"workload", "name", "provider", "events", "duration_s", "subjects", "connections", "per_s", "size_bytes", "duplicate_share", "delay_ms",
		"sent",
		"accepted", "events", "seconds", "per_s", "p50_ms", "p90_ms", "p99_ms", "max_ms",
		"delivered", "events", "seconds", "per_s", "p50_ms", "p90_ms", "p99_ms", "max_ms",
		"lost", "out_of_order", "wrong", "findings",
		"duplicates_sent", "duplicates_recognised", "repeated", "requests_refused", "requests_unanswered", "foreign_deliveries",
		"interrupted", "bench_cpu_s",
	}, names)
	require.Contains(t, string(content), `"problems": [],`, "a list is one, also when it is empty")
}
