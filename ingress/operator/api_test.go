package operator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 123456789, time.UTC)

// bell remembers who was rung and who was told.
type bell struct {
	mu         sync.Mutex
	rung, told []string
}

func (b *bell) Ring(subject string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = append(b.rung, subject)
}

func (b *bell) Tell(subject string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, subject)
}

// office is an API over a real inbox at noon.
type office struct {
	store   *sqlite.Store
	bell    *bell
	log     *bytes.Buffer
	handler http.Handler
}

func newOffice(t *testing.T, change ...func(*operator.Options)) *office {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	f := &office{store: store, bell: &bell{}, log: &bytes.Buffer{}}
	o := operator.Options{
		Inbox: store, Bell: f.bell, Metrics: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(f.log, nil)),
		Now: func() time.Time { return noon },
	}
	for _, c := range change {
		c(&o)
	}
	f.handler = operator.New(o).Handler()
	return f
}

// accept appends n events of a subject and returns their sequences.
func (f *office) accept(t *testing.T, subject string, n int) []int64 {
	t.Helper()
	source, id, _ := strings.Cut(subject, "/")
	var sequences []int64
	for i := range n {
		receipts, err := f.store.Append(t.Context(), inbox.Delivery{
			ContentType: "application/json", Body: fmt.Appendf(nil, `{"n":%d}`, i),
			Events: []inbox.NewEvent{{
				EventID: fmt.Sprintf("%s-%d", id, i), Source: source, Provider: "redo", Subject: subject, SubjectName: subject,
				Type: "return.updated", Key: fmt.Sprintf("%s-%d", id, i), At: noon.Add(-time.Hour), ReceivedAt: noon.Add(time.Duration(i-10) * time.Minute),
				Related: []string{source + "/other"},
			}},
		})
		require.NoError(t, err)
		sequences = append(sequences, receipts[0].Sequence)
	}
	return sequences
}

// settle delivers a subject's first n events.
func (f *office) settle(t *testing.T, subject string, sequences []int64) {
	t.Helper()
	claimed, err := f.store.Claim(t.Context(), inbox.Claim{Subject: subject, Now: noon, BusyUntil: noon.Add(time.Minute), RunID: "run", OriginalRunID: "run"})
	require.NoError(t, err)
	for _, sequence := range sequences {
		_, err := f.store.Settle(t.Context(), inbox.Settlement{
			Subject: subject, Epoch: claimed.Subject.Epoch, Sequence: sequence, Status: inbox.StatusDelivered,
			Handler: "log", Attempts: 1, Now: noon, RunID: "run", OriginalRunID: "run",
		})
		require.NoError(t, err)
	}
}

func (f *office) do(t *testing.T, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost:8081"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

// ask makes a request that must succeed and decodes its answer.
func ask[T any](t *testing.T, f *office, method, path, body string) T {
	t.Helper()
	w := f.do(t, method, path, body)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	var answer T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&answer))
	return answer
}

func sequencesOf(events []operator.EventJSON) []int64 {
	found := []int64{}
	for _, e := range events {
		found = append(found, e.Sequence)
	}
	return found
}

func TestEvents(t *testing.T) {
	t.Parallel()
	f := newOffice(t)
	one := f.accept(t, "redo/r1", 5)
	two := f.accept(t, "sandbox/r2", 3)
	f.settle(t, "redo/r1", one[:2])
	all := append(append([]int64{}, one...), two...)

	for query, want := range map[string][]int64{
		"":                              all,
		"?subject=redo%2Fr1":            one,
		"?subject=redo/r1":              one,
		"?source=sandbox":               two,
		"?status=delivered":             one[:2],
		"?status=pending&source=redo":   one[2:],
		"?type=return.updated":          all,
		"?type=nothing":                 {},
		"?after=" + fmt.Sprint(one[3]):  append([]int64{one[4]}, two...),
		"?before=" + fmt.Sprint(one[2]): {one[0], one[1]},
		"?newest=true&limit=3":          two,
		"?newest=true&limit=2&before=" + fmt.Sprint(one[4]): {one[2], one[3]},
		"?newest=true&status=delivered":                     one[:2],
		"?newest=false&to=2026-03-14T11:51:00Z":             {one[0], two[0]},
		"?from=2026-03-14T11:53:00Z":                        {one[3], one[4]},
		"?to=2026-03-14T11:51:00Z":                          {one[0], two[0]},
		"?from=2026-03-14T13:54:00%2B02:00":                 {one[4]},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			page := ask[operator.EventsJSON](t, f, "GET", operator.PathEvents+query, "")
			require.Equal(t, want, sequencesOf(page.Events))
			require.Nil(t, page.NextAfter)
		})
	}
	t.Run("PagesFitTogether", func(t *testing.T) {
		t.Parallel()
		var seen []int64
		path := operator.PathEvents + "?limit=3"
		for range 3 {
			page := ask[operator.EventsJSON](t, f, "GET", path, "")
			seen = append(seen, sequencesOf(page.Events)...)
			if page.NextAfter == nil {
				break
			}
			path = fmt.Sprintf("%s?limit=3&after=%d", operator.PathEvents, *page.NextAfter)
		}
		require.Equal(t, all, seen)
	})
	t.Run("OneEvent", func(t *testing.T) {
		t.Parallel()
		event := ask[operator.EventJSON](t, f, "GET", fmt.Sprintf("%s/%d", operator.PathEvents, one[0]), "")
		require.Equal(t, "delivered", event.Status)
		require.Equal(t, 1, event.Attempts)
		require.Equal(t, "log", event.Handler)
		require.WithinDuration(t, noon, event.SettledAt.Time, time.Microsecond)
	})
}

func TestPayloadIsServedSafely(t *testing.T) {
	t.Parallel()
	f := newOffice(t)
	receipts, err := f.store.Append(t.Context(), inbox.Delivery{
		ContentType: "text/html", Body: []byte("<script>\x00\xff"),
		Events: []inbox.NewEvent{{EventID: "e", Source: "redo", Provider: "redo", Subject: "redo/x", SubjectName: "redo/x", Type: "t", ReceivedAt: noon}},
	})
	require.NoError(t, err)
	w := f.do(t, "GET", fmt.Sprintf("%s/%d/payload", operator.PathEvents, receipts[0].Sequence), "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "<script>\x00\xff", w.Body.String(), "byte for byte")
	require.Equal(t, "text/html", w.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Contains(t, w.Header().Get("Content-Disposition"), "attachment")
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "sandbox")
	require.NotContains(t, f.log.String(), "script")
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	f := newOffice(t)
	f.accept(t, "redo/a", 1)
	f.accept(t, "redo/b", 2)
	done := f.accept(t, "redo/c", 1)
	f.settle(t, "redo/c", done)
	ask[operator.SubjectJSON](t, f, "POST", operator.PathSubjectPause+"?id=redo/b", `{"reason":"looking"}`)

	ids := func(query string) (found []string) {
		for _, s := range ask[operator.SubjectsJSON](t, f, "GET", operator.PathSubjects+query, "").Subjects {
			found = append(found, s.ID)
		}
		return found
	}
	require.Equal(t, []string{"redo/a", "redo/b"}, ids(""), "an idle one is not listed")
	require.Equal(t, []string{"redo/b"}, ids("?state=held"))
	require.Equal(t, []string{"redo/a"}, ids("?state=pending"))
	require.Empty(t, ids("?state=retrying"))
	require.Equal(t, []string{"redo/b"}, ids("?after=redo/a"))
	page := ask[operator.SubjectsJSON](t, f, "GET", operator.PathSubjects+"?limit=1", "")
	require.Equal(t, "redo/a", *page.NextAfter)

	idle := ask[operator.SubjectJSON](t, f, "GET", operator.PathSubject+"?id=redo/c", "")
	require.Equal(t, "idle", idle.State)
	require.Nil(t, idle.Head)
}

func TestVerbs(t *testing.T) {
	t.Parallel()
	t.Run("PauseIsInForceThenTold", func(t *testing.T) {
		t.Parallel()
		f := newOffice(t)
		sequences := f.accept(t, "redo/r1", 2)
		s := ask[operator.SubjectJSON](t, f, "POST", operator.PathSubjectPause+"?id=redo/r1", `{"reason":"deploy","by":"kim","until":"2h"}`)
		require.Equal(t, "held", s.State)
		require.Equal(t, "kim", s.HeldBy)
		require.Equal(t, "deploy", s.HeldReason)
		require.WithinDuration(t, noon.Add(2*time.Hour), s.HeldUntil.Time, time.Microsecond)
		require.Equal(t, sequences[0], s.Head.Sequence)
		require.Equal(t, []string{"redo/r1"}, f.bell.told)
		require.Contains(t, f.log.String(), "subject=redo/r1")
	})
	t.Run("ResumeEndsIt", func(t *testing.T) {
		t.Parallel()
		f := newOffice(t)
		f.accept(t, "redo/r1", 1)
		ask[operator.SubjectJSON](t, f, "POST", operator.PathSubjectPause+"?id=redo/r1", `{"until":"2026-03-15T00:00:00Z"}`)
		s := ask[operator.SubjectJSON](t, f, "POST", operator.PathSubjectResume+"?id=redo/r1", "")
		require.Equal(t, "pending", s.State)
		require.Len(t, f.bell.told, 2)
	})
	t.Run("ParkSetsTheNamedEventAside", func(t *testing.T) {
		t.Parallel()
		f := newOffice(t)
		sequences := f.accept(t, "redo/r1", 1)
		body := fmt.Sprintf(`{"sequence":%d,"reason":"malformed","request_id":"once"}`, sequences[0])
		s := ask[operator.SubjectJSON](t, f, "POST", operator.PathSubjectPark+"?id=redo/r1", body)
		require.Equal(t, 0, s.Pending)
		require.Equal(t, []string{"redo/r1"}, f.bell.told, "its run may wait to try the event")
		event := ask[operator.EventJSON](t, f, "GET", fmt.Sprintf("%s/%d", operator.PathEvents, sequences[0]), "")
		require.Equal(t, "parked", event.Status)
		require.Contains(t, event.Reason, "malformed")

		ask[operator.SubjectJSON](t, f, "POST", operator.PathSubjectPark+"?id=redo/r1", body)
		audit := ask[operator.AuditJSON](t, f, "GET", operator.PathSubjectAudit+"?id=redo/r1", "").Audit
		require.Len(t, audit, 1, "the same request again changes nothing")
		require.Equal(t, "park", audit[0].Verb)
		require.Equal(t, "operator API", audit[0].By)
		require.Equal(t, sequences[0], *audit[0].Sequence)

		again := f.do(t, "POST", operator.PathSubjectPark+"?id=redo/r1", fmt.Sprintf(`{"sequence":%d,"reason":"again"}`, sequences[0]))
		require.Equal(t, http.StatusConflict, again.Code)
		require.Contains(t, again.Body.String(), "parked, not pending")
	})
	t.Run("VerbAtRestTellsNobody", func(t *testing.T) {
		t.Parallel()
		f := newOffice(t)
		f.settle(t, "redo/r1", f.accept(t, "redo/r1", 1))
		s := ask[operator.SubjectJSON](t, f, "POST", operator.PathSubjectPause+"?id=redo/r1", "{}")
		require.Equal(t, "held", s.State)
		require.Empty(t, f.bell.told)
	})
	t.Run("VerbWithoutSenseIsAConflict", func(t *testing.T) {
		t.Parallel()
		f := newOffice(t)
		f.accept(t, "redo/r1", 1)
		w := f.do(t, "POST", operator.PathSubjectResume+"?id=redo/r1", "{}")
		require.Equal(t, http.StatusConflict, w.Code)
		require.Contains(t, w.Body.String(), "nothing to resume")
		require.Empty(t, f.bell.told)
	})
}

func TestReplay(t *testing.T) {
	t.Parallel()
	f := newOffice(t)
	sequences := f.accept(t, "redo/r1", 3)
	f.settle(t, "redo/r1", sequences[:2])

	dry := ask[operator.ReplayJSON](t, f, "POST", operator.PathReplay, `{"subject":"redo/r1","dry_run":true}`)
	require.True(t, dry.DryRun)
	require.Equal(t, sequences[:2], sequencesOf(dry.Events))
	require.Equal(t, 1, dry.Skipped)
	require.Empty(t, f.bell.rung)

	done := ask[operator.ReplayJSON](t, f, "POST", operator.PathReplay, fmt.Sprintf(`{"sequences":[%d],"by":"kim"}`, sequences[0]))
	require.Len(t, done.Events, 1)
	require.Equal(t, sequences[0], *done.Events[0].ReplayOf)
	require.Equal(t, "pending", done.Events[0].Status)
	require.Greater(t, done.Events[0].Sequence, sequences[2])

	pending := f.do(t, "POST", operator.PathReplay, fmt.Sprintf(`{"sequences":[%d]}`, sequences[2]))
	require.Equal(t, http.StatusConflict, pending.Code)
	unknown := f.do(t, "POST", operator.PathReplay, `{"sequences":[99999]}`)
	require.Equal(t, http.StatusNotFound, unknown.Code)

	f.settle(t, "redo/r1", []int64{sequences[2], done.Events[0].Sequence})
	ask[operator.ReplayJSON](t, f, "POST", operator.PathReplay, `{"status":"delivered","limit":1}`)
	require.Equal(t, []string{"redo/r1"}, f.bell.rung, "the queue was empty")
}

func TestInboxDown(t *testing.T) {
	t.Parallel()
	f := newOffice(t)
	require.NoError(t, f.store.Close())
	for _, call := range [][3]string{
		{"GET", operator.PathEvents, ""},
		{"GET", operator.PathEvents + "/1", ""},
		{"GET", operator.PathEvents + "/1/payload", ""},
		{"POST", operator.PathReplay, `{"sequences":[1]}`},
		{"GET", operator.PathSubjects, ""},
		{"GET", operator.PathSubject + "?id=a", ""},
		{"GET", operator.PathSubjectAudit + "?id=a", ""},
		{"POST", operator.PathSubjectPause + "?id=a", "{}"},
	} {
		w := f.do(t, call[0], call[1], call[2])
		require.Equal(t, http.StatusServiceUnavailable, w.Code, call)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.Contains(t, w.Body.String(), "try again")
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	f := newOffice(t, func(o *operator.Options) { o.Inbox = nil })
	w := f.do(t, "GET", operator.PathEvents, "")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, f.log.String(), "nil pointer")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	down := fmt.Errorf("connection refused")
	f := newOffice(t, func(o *operator.Options) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_test_total", Help: "x"}))
		o.Metrics = registry
		o.Config.OperatorToken = "not-needed-here"
		o.Checks = []operator.Check{
			{Name: "inbox", Run: func(context.Context) error { return nil }},
			{Name: "temporal", Run: func(context.Context) error { return down }},
		}
	})
	stranger := func(r *http.Request) { r.RemoteAddr, r.Host = "203.0.113.9:1", "holdfast.example" }
	require.Equal(t, http.StatusOK, f.do(t, "GET", "/healthz", "", stranger).Code)
	require.Contains(t, f.do(t, "GET", "/metrics", "", stranger).Body.String(), "holdfast_test_total 0")
	w := f.do(t, "GET", "/readyz", "", stranger)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.JSONEq(t, `{"ready":false,"checks":{"inbox":"ok","temporal":"connection refused"}}`, w.Body.String())
	down = nil
	require.JSONEq(t, `{"ready":true,"checks":{"inbox":"ok","temporal":"ok"}}`, f.do(t, "GET", "/readyz", "", stranger).Body.String())
}
