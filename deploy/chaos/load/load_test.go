package load_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/chaos/load"
	"github.com/holdfast-project/holdfast/ingress"
)

// door is an ingress of a few lines: it knows duplicates, and whether a sender was
// too early.
type door struct {
	refuse func(n int) int // status of the n-th request; 0: accept, -1: no answer

	mu       sync.Mutex
	requests int
	accepted map[string]int64 // sequence by subject and counter
	digests  map[string]string
	next     map[string]int
	problems []string
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	var body load.Body
	d.mu.Lock()
	defer d.mu.Unlock()
	complain := func(format string, args ...any) { d.problems = append(d.problems, fmt.Sprintf(format, args...)) }
	if err != nil || json.Unmarshal(content, &body) != nil || r.Header.Get("Authorization") != "Bearer secret" {
		complain("a request that no ingress takes")
		return
	}
	d.requests++
	id := fmt.Sprint(body.Return.ID, " ", body.Counter)
	if old, known := d.digests[id]; known && old != load.Digest(content) {
		complain("%s: another body", id)
	}
	d.digests[id] = load.Digest(content)
	switch status := d.refuse(d.requests); {
	case status == -1:
		panic(http.ErrAbortHandler)
	case status != 0:
		w.WriteHeader(status)
		return
	}
	sequence, duplicate := d.accepted[id]
	if !duplicate {
		if body.Counter != d.next[body.Return.ID] {
			complain("%s: sent before the one before it was accepted", id)
		}
		d.next[body.Return.ID]++
		sequence = int64(len(d.accepted) + 1)
		d.accepted[id] = sequence
	}
	_ = json.NewEncoder(w).Encode(ingress.AcceptedJSON{Accepted: []ingress.ReceiptJSON{{EventID: id, Sequence: sequence, Duplicate: duplicate}}})
}

// run loads a door until enough events were accepted.
func run(t *testing.T, d *door, duplicates float64, enough int) []verdict.Sending {
	t.Helper()
	d.accepted, d.digests, d.next = map[string]int64{}, map[string]string{}, map[string]int{}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	l := load.New(load.Options{
		URL: server.URL, Secret: "secret", Subjects: 5, Rate: 500, Duplicates: duplicates, Seed: 1, Log: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx, time.Minute) }()
	require.Eventually(t, func() bool { return l.Accepted() >= enough }, time.Minute, time.Millisecond)
	stop()
	<-done
	require.Empty(t, d.problems)
	require.False(t, l.LastAccepted().IsZero())
	return l.Sendings()
}

func TestSendersWaitForEachAnswer(t *testing.T) {
	t.Parallel()
	sent := run(t, &door{refuse: func(int) int { return 0 }}, 0, 200)
	for _, s := range sent {
		require.Len(t, s.Answers, 1)
		require.Equal(t, 1, s.Requests)
		require.False(t, s.Answers[0].Duplicate)
		require.Equal(t, fmt.Sprint(s.Subject, " ", s.Counter), s.Answers[0].EventID)
	}
}

func TestSendersInsist(t *testing.T) {
	t.Parallel()
	sent := run(t, &door{refuse: func(n int) int {
		if n > 12 {
			return 0
		}
		return []int{0, http.StatusServiceUnavailable, -1, http.StatusTooManyRequests}[n%4]
	}}, 0, 20)
	refused, unanswered := 0, 0
	for _, s := range sent {
		require.Len(t, s.Answers, 1, "all are accepted in the end")
		require.Equal(t, s.Requests, 1+s.Refused+s.Unanswered)
		refused, unanswered = refused+s.Refused, unanswered+s.Unanswered
	}
	require.Positive(t, refused)
	require.Positive(t, unanswered)
}

func TestDuplicatesAreSentAndKnown(t *testing.T) {
	t.Parallel()
	sent := run(t, &door{refuse: func(int) int { return 0 }}, 0.5, 100)
	duplicates := 0
	for _, s := range sent {
		duplicates += s.Duplicates
		require.Len(t, s.Answers, 1+s.Duplicates)
	}
	require.Greater(t, duplicates, len(sent)/10)
	require.Empty(t, verdict.Judge(verdict.Record{Sendings: sent, Deliveries: deliver(sent)}).Problems)
}

// deliver delivers everything as it should be.
func deliver(sent []verdict.Sending) (all []verdict.Delivery) {
	for i, s := range sent {
		begun := time.Unix(int64(i), 0)
		all = append(all, verdict.Delivery{
			ID: s.ID, Digest: s.Digest, Key: s.Answers[0].EventID, Sequence: s.Answers[0].Sequence, Begun: begun, Ended: begun, Status: 200,
		})
	}
	return all
}
