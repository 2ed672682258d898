package ingress_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

// deaf stands for a Temporal that is down: nobody is ever woken.
type deaf struct{}

func (deaf) Ring(string) {}

func TestSurface(t *testing.T) {
	t.Parallel()
	fail := func(err error) func(*ingress.Options) {
		return func(o *ingress.Options) { o.Inbox.(*store).err = err }
	}
	understand := func(err error) func(*ingress.Options) {
		return speaking(func(providers.Request) ([]providers.Event, error) { return nil, err })
	}
	cases := []struct {
		name    string
		change  func(*ingress.Options)
		method  string
		path    string
		body    string
		header  []string
		status  int
		durable int // events
		answer  string
		headers map[string]string
	}{
		{
			name: "TemporalIsDown", change: func(o *ingress.Options) { o.Bell = deaf{} },
			method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 200, durable: 1, answer: `"subject":"plain/a","duplicate":false`,
		},
		{
			name: "GenuineIsAccepted", method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 200, durable: 1, answer: `"sequence":100`,
		},
		{
			name: "NotGenuineIsRefused", method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", "no"},
			status: 401, answer: `{"error":"unauthorized"}`,
		},
		{
			name: "NoProofIsRefused", method: "POST", path: "/webhooks/plain", body: "a",
			status: 401, answer: `{"error":"unauthorized"}`,
		},
		{
			name: "RefusalHasTheSendersForm", method: "POST", path: "/webhooks/polite", body: "a",
			status: 401, answer: `{"fine":"unauthorized"}`, headers: map[string]string{"Content-Type": "application/fine+json"},
		},
		{
			name: "UnknownSourceIsNotFound", method: "POST", path: "/webhooks/nobody", body: "a", header: []string{"Proof", proof},
			status: 404, answer: `{"error":"not found"}`,
		},
		{name: "UnknownPathIsNotFound", method: "GET", path: "/", status: 404, answer: `{"error":"not found"}`},
		{name: "TrailingSlashIsNotFound", method: "POST", path: "/webhooks/plain/", body: "a", header: []string{"Proof", proof}, status: 404},
		{name: "DeepPathIsNotFound", method: "POST", path: "/webhooks/polite/product/x", body: "a", header: []string{"Proof", proof}, status: 404},
		{
			name: "KnownSuffixIsAccepted", method: "POST", path: "/webhooks/polite/product", body: "a", header: []string{"Proof", proof},
			status: 200, durable: 1,
		},
		{
			name: "UnknownSuffixIsNotFound", method: "POST", path: "/webhooks/polite/other", body: "a", header: []string{"Proof", proof},
			status: 404, answer: `{"fine":"not found"}`,
		},
		{name: "SuffixOfAProviderWithoutIsNotFound", method: "POST", path: "/webhooks/plain/product", body: "a", header: []string{"Proof", proof}, status: 404},
		{
			name: "UnknownSourceComesBeforeWrongMethod", method: "DELETE", path: "/webhooks/nobody", status: 404,
		},
		{
			name: "WrongMethodIsNamed", method: "PUT", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 405, headers: map[string]string{"Allow": "POST, OPTIONS"},
		},
		{name: "InventedMethodIsNotAllowed", method: "BREW", path: "/webhooks/plain", status: 405, headers: map[string]string{"Allow": "POST, OPTIONS"}},
		{name: "InventedMethodOfNobodyIsNotFound", method: "BREW", path: "/webhooks/nobody", status: 404},
		{name: "GetWithoutHandshakeIsNotAllowed", method: "GET", path: "/webhooks/polite", status: 405, headers: map[string]string{"Allow": "GET, POST, OPTIONS"}},
		{name: "GetOfAProviderWithoutHandshakeIsNotAllowed", method: "GET", path: "/webhooks/plain?challenge=c", status: 405},
		{name: "HeadIsNotAllowed", method: "HEAD", path: "/webhooks/plain", status: 405},
		{name: "OptionsTellsWhatIsAllowed", method: "OPTIONS", path: "/webhooks/plain", status: 204, headers: map[string]string{"Allow": "POST, OPTIONS"}},
		{name: "GetHandshakeIsAnswered", method: "GET", path: "/webhooks/polite?challenge=c1", status: 200, answer: "c1", headers: map[string]string{"Content-Type": "text/plain"}},
		{name: "PostHandshakeIsAnsweredBeforeProof", method: "POST", path: "/webhooks/polite", body: "challenge:c2", status: 200, answer: "c2"},
		{
			name: "TooLargeByHeaderIsRefused", method: "POST", path: "/webhooks/plain", body: strings.Repeat("a", 1<<20+1), header: []string{"Proof", proof},
			status: 413, headers: map[string]string{"Connection": "close"},
		},
		{
			name: "LargestBodyIsAccepted", method: "POST", path: "/webhooks/plain", body: strings.Repeat("a", 1<<20), header: []string{"Proof", proof},
			status: 200, durable: 1,
		},
		{
			name: "CompressedBodyIsRefused", method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof, "Content-Encoding", "gzip"},
			status: 415, headers: map[string]string{"Accept-Encoding": "identity"},
		},
		{
			name: "IdentityEncodingIsNone", method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof, "Content-Encoding", "identity"},
			status: 200, durable: 1,
		},
		{
			name: "QueryIsNotImplemented", change: understand(providers.ErrQuery), method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 501,
		},
		{
			name: "NotUnderstoodIsQuarantined", change: understand(providers.ErrNotUnderstood), method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 200, durable: 1, answer: `"subject":""`,
		},
		{
			name: "UnexpectedParseErrorIsQuarantined", change: understand(errors.New("oh")), method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 200, durable: 1,
		},
		{
			name: "NoEventIsQuarantined", change: understand(nil), method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 200, durable: 1,
		},
		{
			name: "EmptyBodyHasNoSubjectAndIsQuarantined", method: "POST", path: "/webhooks/plain", header: []string{"Proof", proof},
			status: 200, durable: 1,
		},
		{
			name:   "PanicInParseIsQuarantined",
			change: speaking(func(providers.Request) ([]providers.Event, error) { panic("payload-in-a-panic") }),
			method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 200, durable: 1,
		},
		{
			name: "PanicInVerifyIsTriedAgain", method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", "panic"},
			status: 503, headers: map[string]string{"Retry-After": "5"},
		},
		{
			name: "UnsureProofIsTriedAgain", method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", "odd"},
			status: 503, headers: map[string]string{"Retry-After": "5"},
		},
		{
			name: "OverloadedInboxIsTriedAgain", change: fail(inbox.ErrOverloaded), method: "POST", path: "/webhooks/plain", body: "a", header: []string{"Proof", proof},
			status: 503, headers: map[string]string{"Retry-After": "5"},
		},
		{
			name: "BrokenInboxIsTriedAgain", change: fail(errors.New("disk full")), method: "POST", path: "/webhooks/polite", body: "a", header: []string{"Proof", proof},
			status: 503, headers: map[string]string{"Retry-After": "5"}, answer: `{"fine":"try again later"}`,
		},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if tt.change != nil {
				h = newHouse(t, func(o *ingress.Options) {
					tt.change(o)
				})
			}
			w := h.send(t, tt.method, tt.path, tt.body, tt.header...)
			require.Equal(t, tt.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), tt.answer)
			require.NotEmpty(t, w.Header().Get("X-Request-Id"))
			for name, value := range tt.headers {
				require.Equal(t, value, w.Header().Get(name), name)
			}
			durable := 0
			for _, delivery := range h.store.stored() {
				durable += len(delivery.Events)
			}
			require.Equal(t, tt.durable, durable)
			require.Equal(t, 1, strings.Count(h.logs.String(), "\n"), "one log line per request")
			require.Zero(t, h.door.Reserved(8<<20), "memory given back")
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/") && w.Body.Len() > 0 {
				require.True(t, json.Valid(w.Body.Bytes()), w.Body.String())
			}
		})
	}
}

func TestAnswerListsEveryEvent(t *testing.T) {
	t.Parallel()
	h := newHouse(t, speaking(func(providers.Request) ([]providers.Event, error) {
		return []providers.Event{{Type: "a", Subject: "1", Key: "k1"}, {Type: "b", Subject: "2", Key: "k2"}, {Type: "c\n", Subject: "3", Key: "k3"}}, nil
	}))
	w := h.send(t, "POST", "/webhooks/plain", "x", "Proof", proof, "X-Request-Id", "req-1", "Content-Type", "application/json; charset=utf-8")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "req-1", w.Header().Get("X-Request-Id"))

	var answer ingress.AcceptedJSON
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.Len(t, answer.Accepted, 3)
	require.Equal(t, []string{"plain/1", "plain/2"}, h.bell.all(), "a quarantined event rings nobody")

	stored := h.store.stored()
	require.Len(t, stored, 1, "one delivery, all or nothing")
	require.Equal(t, "application/json; charset=utf-8", stored[0].ContentType)
	require.Equal(t, "x", string(stored[0].Body))
	for i, e := range stored[0].Events {
		require.Equal(t, i, e.Index)
		require.Equal(t, e.EventID, answer.Accepted[i].EventID)
	}
	require.Empty(t, stored[0].Events[2].Type)
	require.Contains(t, stored[0].Events[2].Quarantine, "type")

	counted := map[string]float64{}
	families, err := h.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "holdfast_events_accepted_total" {
			for _, m := range family.GetMetric() {
				counted[m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	require.Equal(t, map[string]float64{
		"accepted plain": 2, "quarantined plain": 1, "duplicate plain": 0,
		"accepted polite": 0, "quarantined polite": 0, "duplicate polite": 0,
	}, counted)
}

func TestRequestIDFromOutsideMustBeSane(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"", "a b", "x\"y", strings.Repeat("a", 65), "ä"} {
		w := newHouse(t).send(t, "GET", "/webhooks/plain", "", "X-Request-Id", given)
		require.NotEqual(t, given, w.Header().Get("X-Request-Id"))
		require.Len(t, w.Header().Get("X-Request-Id"), 36)
	}
}

func TestUnknownSourceIsOneMetricLabel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, path := range []string{"/webhooks/one", "/webhooks/two", "/etc/passwd"} {
		h.send(t, "POST", path, "x")
	}
	families, err := h.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "holdfast_requests_total" {
			require.Len(t, family.GetMetric(), 1)
			require.InEpsilon(t, 3, family.GetMetric()[0].GetCounter().GetValue(), 0)
			require.Equal(t, "unknown", family.GetMetric()[0].GetLabel()[0].GetValue())
		}
	}
	require.NotContains(t, h.logs.String(), "passwd")
}
