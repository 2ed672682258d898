package ingress_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// realHouse is a door with every real dialect, under its own name, over a real
// inbox on disk. It sets environment variables, so its tests are not parallel.
type realHouse struct {
	*house
	*throwAways
	inbox   *sqlite.Store
	address string
}

func newRealHouse(t *testing.T) *realHouse {
	t.Helper()
	h := &realHouse{throwAways: newThrowAways()}
	var names []string
	for dialect, settings := range h.settings {
		names = append(names, dialect)
		for name, value := range settings {
			t.Setenv(ingress.SourceEnv(dialect)+"_"+name, value)
		}
	}
	sources, _, err := ingress.LoadSources(providers.Dialects(), names)
	require.NoError(t, err)
	h.inbox, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.inbox.Close()) })
	h.house = newHouse(t, func(o *ingress.Options) {
		o.Config = ingress.Config{MaxBody: 40 << 20, MaxBodiesInFlight: 256 << 20}
		o.Sources, o.Inbox = sources, h.inbox
		o.AppendTimeout = patience // a busy disk is none of these tests' business
	})
	h.address = h.serve(t)
	return h
}

// deliver sends a sample over the network.
func (h *realHouse) deliver(t *testing.T, dialect string, s samples.Sample) (status int, body []byte) {
	t.Helper()
	url := "http://" + h.address + "/webhooks/" + dialect
	if s.Suffix != "" {
		url += "/" + s.Suffix
	}
	if len(s.Query) > 0 {
		url += "?" + s.Query.Encode()
	}
	r, err := http.NewRequestWithContext(t.Context(), s.Method, url, bytes.NewReader(s.Body))
	require.NoError(t, err)
	r.Header = s.Header.Clone()
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var read bytes.Buffer
	_, err = read.ReadFrom(response.Body)
	require.NoError(t, err)
	return response.StatusCode, read.Bytes()
}

func receipts(t *testing.T, body []byte) []ingress.ReceiptJSON {
	t.Helper()
	var answer ingress.AcceptedJSON
	require.NoError(t, json.Unmarshal(body, &answer), string(body))
	require.NotEmpty(t, answer.Accepted)
	return answer.Accepted
}

func TestEveryProvidersSampleBecomesDurable(t *testing.T) {
	h := newRealHouse(t)
	for _, dialect := range providers.Dialects() {
		types := samples.Types(dialect.Name)
		require.NotEmpty(t, types)
		for n, kind := range types {
			t.Run(dialect.Name+"/"+kind, func(t *testing.T) {
				sample := h.sample(t, dialect.Name, samples.Options{Type: kind, N: n, At: time.Now()})
				status, body := h.deliver(t, dialect.Name, sample)
				if strings.HasSuffix(kind, ":Query") {
					require.Equal(t, http.StatusNotImplemented, status)
					require.Contains(t, string(body), `"Errors":[{"Text"`, "in Redox's own form")
					return
				}
				require.Equal(t, http.StatusOK, status, string(body))
				if kind == samples.Handshake {
					require.NotContains(t, string(body), "accepted")
					return
				}
				for _, receipt := range receipts(t, body) {
					require.False(t, receipt.Duplicate)
					event, err := h.inbox.Event(t.Context(), receipt.Sequence)
					require.NoError(t, err)
					require.Equal(t, inbox.StatusPending, event.Status)
					require.Equal(t, sample.Type, event.Type)
					require.Equal(t, dialect.Name+"/"+sample.Subject, event.Subject)
					payload, err := h.inbox.Payload(t.Context(), receipt.Sequence)
					require.NoError(t, err)
					require.Equal(t, string(sample.Body), string(payload.Body), "byte for byte")
				}
			})
		}
	}
	for _, settings := range h.settings {
		for name, secret := range settings {
			if name != "COMMUNITY" { // a part of the subject
				require.NotContains(t, h.logs.String(), secret, name)
			}
		}
	}
}

func TestForgedSampleIsNowhere(t *testing.T) {
	h := newRealHouse(t)
	for _, dialect := range []string{"redo", "redox", "redeam"} {
		forged, err := samples.Make(dialect, samples.Options{Secret: "another-secret-altogether-000000000000", At: time.Now()})
		require.NoError(t, err)
		status, body := h.deliver(t, dialect, forged)
		require.Equal(t, http.StatusUnauthorized, status)
		require.Contains(t, string(body), "unauthorized")
	}
	events, err := h.inbox.Events(t.Context(), inbox.EventFilter{})
	require.NoError(t, err)
	require.Empty(t, events)
}

func TestConcurrentDuplicatesAreOneEvent(t *testing.T) {
	h := newRealHouse(t)
	for _, dialect := range providers.Dialects() {
		t.Run(dialect.Name, func(t *testing.T) {
			sample := h.sample(t, dialect.Name, samples.Options{At: time.Now()})
			var mu sync.Mutex
			var all sync.WaitGroup
			sequences, fresh := map[int64]bool{}, 0
			for range 20 {
				all.Go(func() {
					status, body := h.deliver(t, dialect.Name, sample)
					mu.Lock()
					defer mu.Unlock()
					require.Equal(t, http.StatusOK, status, string(body))
					receipt := receipts(t, body)[0]
					sequences[receipt.Sequence] = true
					if !receipt.Duplicate {
						fresh++
					}
				})
			}
			all.Wait()
			require.Len(t, sequences, 1)
			require.Equal(t, 1, fresh)
			rung := 0
			for _, subject := range h.bell.all() {
				if strings.HasPrefix(subject, dialect.Name+"/") {
					rung++
				}
			}
			require.Equal(t, 1, rung, "rung on empty to non-empty, never else")
		})
	}
}

func TestConcurrentRequestsShareCommits(t *testing.T) {
	h := newRealHouse(t)
	var all sync.WaitGroup
	for i := range 200 {
		sample := h.sample(t, "redo", samples.Options{Subject: fmt.Sprintf("r%d", i%20), N: i, At: time.Now()})
		all.Go(func() {
			status, _ := h.deliver(t, "redo", sample)
			require.Equal(t, http.StatusOK, status)
		})
	}
	all.Wait()
	counts, err := h.inbox.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 200, counts.Pending)
	require.Len(t, h.bell.all(), 20)
}

func TestRedeamTokenWithAnotherBodyIsQuarantined(t *testing.T) {
	h := newRealHouse(t)
	sample := h.sample(t, "redeam", samples.Options{At: time.Now()})
	_, body := h.deliver(t, "redeam", sample)
	first := receipts(t, body)[0]
	forged := bytes.ReplaceAll(sample.Body, []byte(`"updated"`), []byte(`"removed"`))
	require.NotEqual(t, sample.Body, forged)
	sample.Body = forged
	status, body := h.deliver(t, "redeam", sample)
	require.Equal(t, http.StatusOK, status)
	second := receipts(t, body)[0]
	require.NotEqual(t, first.Sequence, second.Sequence)
	event, err := h.inbox.Event(t.Context(), second.Sequence)
	require.NoError(t, err)
	require.Equal(t, inbox.StatusQuarantined, event.Status)
	require.NotEmpty(t, event.Reason)
}

func TestUnknownShapeIsQuarantinedOnce(t *testing.T) {
	h := newRealHouse(t)
	for _, dialect := range []string{"redo", "redox"} {
		sample := h.sample(t, dialect, samples.Options{Body: []byte(`{"what":["is","this"]}`)})
		status, body := h.deliver(t, dialect, sample)
		require.Equal(t, http.StatusOK, status, string(body))
		first := receipts(t, body)[0]
		require.False(t, first.Duplicate)
		event, err := h.inbox.Event(t.Context(), first.Sequence)
		require.NoError(t, err)
		require.Equal(t, inbox.StatusQuarantined, event.Status)

		_, body = h.deliver(t, dialect, sample)
		require.True(t, receipts(t, body)[0].Duplicate)
		require.Equal(t, first.Sequence, receipts(t, body)[0].Sequence)
	}
}

func TestClosedInboxIsTriedAgain(t *testing.T) {
	h := newRealHouse(t)
	require.NoError(t, h.inbox.Close())
	status, _ := h.deliver(t, "redo", h.sample(t, "redo", samples.Options{At: time.Now()}))
	require.Equal(t, http.StatusServiceUnavailable, status)
}

func TestAcceptedEventsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	h := newHouse(t, func(o *ingress.Options) { o.Inbox = store })
	require.Equal(t, http.StatusOK, h.send(t, "POST", "/webhooks/plain", "r1", "Proof", proof).Code)
	require.NoError(t, store.Close())

	store, err = sqlite.Open(context.WithoutCancel(t.Context()), path, sqlite.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	events, err := store.Events(t.Context(), inbox.EventFilter{Subject: "plain/r1"})
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.Equal(t, inbox.StatusPending, events[0].Status)
}
