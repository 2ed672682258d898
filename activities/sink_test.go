package activities_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// attempt is one delivery that a sink has seen.
type attempt struct {
	subject  string
	sequence int64
	number   int // Holdfast-Attempt
	key      string
	redo     string
	at       time.Time
	answered bool // with a 2xx
}

// rule answers an attempt: it writes a status and returns, or hijacks, or hangs
// until the request's context ends.
type rule func(w http.ResponseWriter, r *http.Request, a attempt)

func ok(http.ResponseWriter, *http.Request, attempt) {}

func status(code int) rule {
	return func(w http.ResponseWriter, _ *http.Request, _ attempt) { w.WriteHeader(code) }
}

// sink is a real HTTP destination that records every attempt in the order in
// which they arrive.
type sink struct {
	*httptest.Server
	t    *testing.T
	mu   sync.Mutex
	rule rule
	all  []attempt
}

func newSink(t *testing.T, r rule) *sink {
	t.Helper()
	s := &sink{t: t, rule: r}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) serve(w http.ResponseWriter, r *http.Request) {
	// A server notices that its client is gone only once it has read the body.
	_, _ = io.Copy(io.Discard, r.Body)
	sequence, _ := strconv.ParseInt(r.Header.Get("Holdfast-Sequence"), 10, 64)
	number, _ := strconv.Atoi(r.Header.Get("Holdfast-Attempt"))
	a := attempt{
		subject: r.Header.Get("Holdfast-Subject"), sequence: sequence, number: number,
		key: r.Header.Get("Idempotency-Key"), redo: r.Header.Get("Holdfast-Redo"), at: time.Now(),
	}
	s.mu.Lock()
	at, rule := len(s.all), s.rule
	s.all = append(s.all, a)
	s.mu.Unlock()
	recorder := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	rule(recorder, r, a)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[at].answered = recorder.status/100 == 2 && r.Context().Err() == nil && !recorder.hijacked
}

func (s *sink) setRule(r rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rule = r
}

// attempts returns those of one subject, in the order in which they arrived.
func (s *sink) attempts(subject string) []attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []attempt
	for _, a := range s.all {
		if a.subject == subject {
			of = append(of, a)
		}
	}
	return of
}

// delivered returns the sequences of a subject that were answered with a 2xx.
func (s *sink) delivered(subject string) []int64 {
	var sequences []int64
	for _, a := range s.attempts(subject) {
		if a.answered {
			sequences = append(sequences, a.sequence)
		}
	}
	return sequences
}

// await waits until n attempts of a subject have arrived.
func (s *sink) await(subject string, n int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return len(s.attempts(subject)) >= n }, patience, 5*time.Millisecond,
		"%s: fewer than %d attempts", subject, n)
}

// statusWriter remembers how a rule answered.
type statusWriter struct {
	http.ResponseWriter
	status   int
	hijacked bool
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// reset breaks the connection off.
func reset(w http.ResponseWriter, _ *http.Request, _ attempt) {
	s := w.(*statusWriter)
	s.hijacked = true
	conn, _, err := s.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request, _ attempt) { <-r.Context().Done() }

// comeBackIn refuses with a Retry-After of some seconds: the wait that it asks for
// uses up budget however fast or slow the machine is.
func comeBackIn(seconds string) rule {
	return func(w http.ResponseWriter, _ *http.Request, _ attempt) {
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}
