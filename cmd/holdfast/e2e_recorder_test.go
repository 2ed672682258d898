package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/ingress"
)

// delivery is one request that came to a destination.
type delivery struct {
	at       time.Time
	header   http.Header
	body     []byte
	subject  string
	sequence int64
	attempt  int
	id       string
	status   int // 0: not answered
}

// answer is what a destination does with a delivery; the zero answer is a 200.
type answer struct {
	status     int
	retryAfter string
	wait       <-chan struct{} // before it answers
	reset      bool            // cut the connection instead
}

// recorder is a destination that keeps what it got.
type recorder struct {
	url    string
	header http.Header // of every answer
	says   string      // the body of every answer

	mu   sync.Mutex
	got  []*delivery
	rule func(delivery) answer
}

func newRecorder(t *testing.T, rule func(delivery) answer) *recorder {
	t.Helper()
	r := &recorder{rule: rule}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	// Whoever hangs is cut off: its own process may be gone.
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	r.url = server.URL + "/hooks"
	return r
}

func (r *recorder) serve(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the sender died while it sent
	}
	h := request.Header
	d := &delivery{at: time.Now(), header: h, body: body, subject: h.Get(activities.HeaderSubject), id: h.Get(activities.HeaderIdempotencyKey)}
	d.sequence, _ = strconv.ParseInt(h.Get(activities.HeaderSequence), 10, 64)
	d.attempt, _ = strconv.Atoi(h.Get(activities.HeaderAttempt))

	r.mu.Lock()
	r.got = append(r.got, d)
	rule := r.rule
	r.mu.Unlock()
	var a answer
	if rule != nil {
		a = rule(*d)
	}
	if a.wait != nil {
		select {
		case <-a.wait:
		case <-request.Context().Done():
			return
		}
	}
	if a.reset {
		panic(http.ErrAbortHandler)
	}
	status := max(a.status, http.StatusOK)
	maps.Copy(w.Header(), r.header)
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	r.mu.Lock()
	d.status = status
	r.mu.Unlock()
	w.WriteHeader(status)
	_, _ = io.WriteString(w, r.says)
}

// obey changes the rule.
func (r *recorder) obey(rule func(delivery) answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rule = rule
}

// deliveries are those so far, of one subject if it is not empty.
func (r *recorder) deliveries(subject string) []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []delivery
	for _, d := range r.got {
		if subject == "" || d.subject == subject {
			list = append(list, *d)
		}
	}
	return list
}

// done are the deliveries of a subject that were answered with a 200, as IDs.
func (r *recorder) done(subject string) []string {
	var ids []string
	for _, d := range r.deliveries(subject) {
		if d.status == http.StatusOK {
			ids = append(ids, d.id)
		}
	}
	return ids
}

// requireOnceInOrder checks that every accepted event was delivered once, in the
// order in which the sender got its answers.
func (r *recorder) requireOnceInOrder(t *testing.T, receipts map[string][]ingress.ReceiptJSON) {
	t.Helper()
	require.Zero(t, r.requireInOrder(t, receipts, 0), "repeated events")
}

// requireInOrder also allows repeats: of a subject at most that many, each right
// behind the delivery it repeats. It returns how many there were.
func (r *recorder) requireInOrder(t *testing.T, receipts map[string][]ingress.ReceiptJSON, allowed int) (repeats int) {
	t.Helper()
	require.NotEmpty(t, receipts)
	for subject, accepted := range receipts {
		var want []string
		for _, one := range accepted {
			require.Equal(t, subject, one.Subject)
			want = append(want, one.EventID)
		}
		done := r.done(subject)
		once := slices.Compact(slices.Clone(done))
		require.Equal(t, want, once, "%s: what was accepted, and what was delivered", subject)
		require.LessOrEqual(t, len(done)-len(once), allowed, "%s: repeats", subject)
		repeats += len(done) - len(once)
	}
	return repeats
}
