package main

import (
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
)

const testToken = "hunter2-hunter2-hunter2"

// running is a real inbox with the real operator API on a real listener.
type running struct {
	inbox *sqlite.Store
	url   string
	bell  *bell
}

// bell notes who was rung.
type bell struct {
	mu   sync.Mutex
	rung []string
}

func (b *bell) Ring(subject string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = append(b.rung, subject)
}

func (b *bell) Tell(subject string) { b.Ring(subject) }

func (b *bell) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.rung...)
}

// startAPI starts one; with a token if it is not empty.
func startAPI(t *testing.T, token string) *running {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	r := &running{inbox: store, bell: &bell{}}
	api := operator.New(operator.Options{
		Config: operator.Config{OperatorListen: "127.0.0.1:0", OperatorToken: providers.Secret(token)},
		Inbox:  store, Bell: r.bell, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	server := httptest.NewServer(api.Handler())
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// env is an environment that leads to the API.
func (r *running) env(name string) (string, bool) {
	switch name {
	case "HOLDFAST_OPERATOR_LISTEN":
		return strings.TrimPrefix(r.url, "http://"), true
	case "USER":
		return "kim", true
	}
	return "", false
}

// do runs a command line that must succeed, and returns its standard output.
func (r *running) do(t *testing.T, args ...string) string {
	t.Helper()
	done := command(t, r.env, "", args...)
	require.NoError(t, done.err, args)
	return done.stdout
}

// accept appends an event to a subject, by its name without the source.
func (r *running) accept(t *testing.T, subject, kind string) inbox.Receipt {
	t.Helper()
	receipts, err := r.inbox.Append(t.Context(), inbox.Delivery{
		ContentType: "application/json", Body: []byte(`{"of":"` + subject + `"}` + "\n"),
		Events: []inbox.NewEvent{{
			EventID: uuid.NewString(), Source: "redo", Provider: "redo", Subject: "redo/" + subject, SubjectName: "redo/" + subject,
			Type: kind, ReceivedAt: time.Now().UTC(),
		}},
	})
	require.NoError(t, err)
	return receipts[0]
}

// settle gives an event an outcome, as a worker does.
func (r *running) settle(t *testing.T, e inbox.Receipt, status inbox.Status, reason string) {
	t.Helper()
	claimed, err := r.inbox.Claim(t.Context(), inbox.Claim{Subject: e.Subject, Now: time.Now().UTC(), BusyUntil: time.Now().Add(time.Minute).UTC(), RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	_, err = r.inbox.Settle(t.Context(), inbox.Settlement{
		Subject: e.Subject, Epoch: claimed.Subject.Epoch, Sequence: e.Sequence, Status: status, Reason: reason,
		Handler: "log:", Attempts: 1, Now: time.Now().UTC(), RunID: "run", OriginalRunID: "run",
	})
	require.NoError(t, err)
}

// hold fails an event critically, as a worker does.
func (r *running) hold(t *testing.T, e inbox.Receipt, reason string) {
	t.Helper()
	claimed, err := r.inbox.Claim(t.Context(), inbox.Claim{Subject: e.Subject, Now: time.Now().UTC(), BusyUntil: time.Now().Add(time.Minute).UTC(), RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	_, err = r.inbox.Fail(t.Context(), inbox.Failure{
		Subject: e.Subject, Epoch: claimed.Subject.Epoch, Sequence: e.Sequence, Handler: "log:", Error: reason, Now: time.Now().UTC(),
		Hold: &inbox.Hold{Until: time.Now().Add(time.Hour).UTC(), Reason: reason},
	})
	require.NoError(t, err)
}
