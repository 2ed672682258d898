package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/bench"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// redo is a source as a house has it.
var redo providers.Provider

// TestMain makes the source before any test, because its settings come from the
// environment, which tests that run in parallel cannot set.
func TestMain(m *testing.M) {
	if err := os.Setenv("REDO_HOUSE_SECRET", secret); err != nil {
		panic(err)
	}
	dialect, _ := providers.Named("redo")
	source, err := dialect.New("REDO_HOUSE")
	if err != nil {
		panic(err)
	}
	redo = source.Provider
	goleak.VerifyTestMain(m)
}

// patience is for what happens at once on an idle machine.
const patience = time.Minute

// delivery is one that a house is about to make.
type delivery struct {
	subject, key string
	sequence     int64
	body         []byte
	first        bool // the event of its subject
}

// house is a Holdfast of a few lines, with a real dialect at its door. It delivers each
// subject's events in order, one at a time, unless it is told to misbehave.
type house struct {
	url      string
	provider providers.Provider
	// refuse chooses a status for the n-th request, from 1; 0: accept, -1: no answer.
	refuse func(n int) int
	// deliver, if it is set, makes the deliveries of an event instead; the event before
	// it in its subject is done.
	deliver func(h *house, d delivery)
	// forgetful: it does not know what it has accepted.
	forgetful bool

	work sync.WaitGroup
	stop context.CancelFunc
	ctx  context.Context

	mu       sync.Mutex
	to       string
	requests int
	known    map[string]ingress.ReceiptJSON
	last     map[string]chan struct{} // closed when the subject's last event is done
	bodies   [][]byte
	inHand   map[string]bool
	tooEarly int // requests of a subject while one was being answered
}

// newHouse opens one with a door for a dialect, which reads its settings from the
// environment if they are not Redo's.
func newHouse(t *testing.T, provider providers.Provider) *house {
	t.Helper()
	h := &house{
		provider: provider, known: map[string]ingress.ReceiptJSON{}, last: map[string]chan struct{}{}, inHand: map[string]bool{},
		refuse: func(int) int { return 0 },
	}
	h.ctx, h.stop = context.WithCancel(t.Context())
	server := httptest.NewServer(h)
	h.url = server.URL + "/webhooks/source"
	t.Cleanup(func() { h.stop(); server.Close(); h.work.Wait(); http.DefaultClient.CloseIdleConnections() })
	return h
}

const secret = "hunter2-hunter2"

// redoHouse is one with the simplest of doors.
func redoHouse(t *testing.T) *house {
	t.Helper()
	return newHouse(t, redo)
}

func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	request := providers.Request{
		Method: r.Method, Header: r.Header, Query: r.URL.Query(), Body: body, ReceivedAt: time.Now(),
		Suffix: string(bytes.TrimPrefix([]byte(r.URL.Path), []byte("/webhooks/source"))),
	}
	if request.Suffix != "" {
		request.Suffix = request.Suffix[1:]
	}
	if h.provider.Verify(request) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	events, err := h.provider.Parse(request)
	if err != nil || len(events) != 1 {
		w.WriteHeader(http.StatusTeapot) // the bench stops, and says so
		return
	}
	switch status, receipt := h.accept(events[0], body); status {
	case -1:
		panic(http.ErrAbortHandler)
	case 0:
		_ = json.NewEncoder(w).Encode(ingress.AcceptedJSON{Accepted: []ingress.ReceiptJSON{receipt}})
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.inHand, receipt.Subject)
	default:
		w.WriteHeader(status)
	}
}

// accept takes an event once, and starts its delivery.
func (h *house) accept(e providers.Event, body []byte) (status int, receipt ingress.ReceiptJSON) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests++
	if status := h.refuse(h.requests); status != 0 {
		return status, receipt
	}
	subject := "source/" + e.Subject
	if h.inHand[subject] {
		h.tooEarly++
	}
	h.inHand[subject] = true
	if known, found := h.known[e.Key]; found && !h.forgetful {
		known.Duplicate = true
		return 0, known
	}
	h.bodies = append(h.bodies, body)
	receipt = ingress.ReceiptJSON{EventID: fmt.Sprint("event-", len(h.bodies)), Sequence: int64(len(h.bodies)), Subject: subject}
	h.known[e.Key] = receipt
	before, done := h.last[subject], make(chan struct{})
	h.last[subject] = done
	h.work.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		d := delivery{subject: subject, key: receipt.EventID, sequence: receipt.Sequence, body: body, first: before == nil}
		if h.deliver != nil && !isProbe(d) {
			h.deliver(h, d)
		} else {
			h.post(d)
		}
	})
	return 0, receipt
}

func isProbe(d delivery) bool { return bytes.Contains(d.body, []byte("/probe/")) }

// post makes a delivery until it is answered with a 2xx.
func (h *house) post(d delivery) {
	h.mu.Lock()
	to := h.to
	h.mu.Unlock()
	for to != "" && h.ctx.Err() == nil {
		r, err := http.NewRequestWithContext(h.ctx, http.MethodPost, to, bytes.NewReader(d.body))
		if err != nil {
			return
		}
		r.Header.Set(activities.HeaderIdempotencyKey, d.key)
		r.Header.Set(activities.HeaderSubject, d.subject)
		r.Header.Set(activities.HeaderSequence, strconv.FormatInt(d.sequence, 10))
		r.Header.Set(activities.HeaderAttempt, "1")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return
		}
	}
}

// routed starts a bench and routes the houses to it.
func routed(t *testing.T, o bench.Options, houses ...*house) *bench.Bench {
	t.Helper()
	b, err := bench.Open(t.Context(), complete(o, houses...))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	for _, h := range houses {
		h.mu.Lock()
		h.to = "http://" + b.Address().String() + "/"
		h.mu.Unlock()
	}
	return b
}

// complete fills in what a test does not say.
func complete(o bench.Options, houses ...*house) bench.Options {
	if o.Provider == "" {
		o.Provider, o.Signing = "redo", samples.Options{Secret: secret, Type: "return.updated"}
	}
	for _, h := range houses {
		o.URLs = append(o.URLs, h.url)
	}
	o.Listen = "127.0.0.1:0"
	for _, d := range []*time.Duration{&o.FirstPatience, &o.GiveUp} {
		if *d == 0 {
			*d = patience
		}
	}
	o.Connections = max(o.Connections, 1)
	return o
}

// measure makes a whole run.
func measure(t *testing.T, o bench.Options, houses ...*house) bench.Report {
	t.Helper()
	b := routed(t, o, houses...)
	require.NoError(t, b.Probe(t.Context()))
	return b.Run(t.Context(), nil)
}
