package ingress_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

func TestNothingPrivateIsLogged(t *testing.T) {
	t.Parallel()
	private := []string{"payload-4711", "query-4711", "header-4711", "MR:4711", "pepper-4711", proof, "secret-in-a-panic", "payload-in-a-panic"}
	parses := map[string]func(providers.Request) ([]providers.Event, error){
		"Accepted": func(providers.Request) ([]providers.Event, error) {
			return []providers.Event{{Type: "t", Subject: "MR:4711", Key: "MR:4711", Related: []string{"MR:4711"}}}, nil
		},
		"BadType": func(r providers.Request) ([]providers.Event, error) {
			return []providers.Event{{Type: string(r.Body) + "\n", Subject: "MR:4711"}}, nil
		},
		"Panic":         func(r providers.Request) ([]providers.Event, error) { panic("payload-in-a-panic" + string(r.Body)) },
		"NotUnderstood": func(providers.Request) ([]providers.Event, error) { return nil, providers.ErrNotUnderstood },
		"Query":         func(providers.Request) ([]providers.Event, error) { return nil, providers.ErrQuery },
	}
	for name, parse := range parses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, given := range []string{proof, "header-4711", "panic"} {
				for _, broken := range []error{nil, errors.New("disk full")} {
					h := newHouse(t, speaking(parse), func(o *ingress.Options) { o.Sources[0].Common.SubjectHashKey = "pepper-4711" })
					h.store.err = broken
					for _, path := range []string{"/webhooks/plain?token=query-4711", "/webhooks/query-4711", "/webhooks/plain/query-4711"} {
						w := h.send(t, "POST", path, "payload-4711", "Proof", given, "Authorization", "Bearer header-4711", "X-Request-Id", "not sane header-4711")
						for _, word := range private {
							require.NotContains(t, h.logs.String(), word)
							require.NotContains(t, w.Body.String(), word)
						}
						require.NotEqual(t, http.StatusInternalServerError, w.Code)
					}
					require.Equal(t, 3, strings.Count(h.logs.String(), "\n"))
					require.Contains(t, h.logs.String(), `"source":"plain"`)
				}
			}
		})
	}
}

func TestRefusedHandshakeIsLoggedWithItsReason(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *ingress.Options) { o.Sources[0].Provider = unmoved{} })
	for status, reason := range map[string]string{
		"401": `"error":"not genuine: the handshake's token is missing, wrong or given twice"`,
		"400": `"error":"the handshake was refused"`,
	} {
		w := h.send(t, "GET", "/webhooks/plain?challenge="+status, "")
		require.Equal(t, status, strconv.Itoa(w.Code))
		lines := strings.Split(strings.TrimSpace(h.logs.String()), "\n")
		require.Contains(t, lines[len(lines)-1], reason)
		require.Contains(t, lines[len(lines)-1], `"handshake":true`)
		require.Contains(t, lines[len(lines)-1], `"level":"WARN"`)
	}
	good := newHouse(t)
	require.Equal(t, http.StatusOK, good.send(t, "GET", "/webhooks/polite?challenge=c", "").Code)
	require.NotContains(t, good.logs.String(), `"error"`)
}

// unmoved refuses each handshake with the status that it is challenged to.
type unmoved struct{ sender }

func (unmoved) Handshake(r providers.Request) (providers.Answer, bool) {
	status, err := strconv.Atoi(r.Query.Get("challenge"))
	return providers.Answer{Status: status}, err == nil
}

func TestLogLineSaysWhatHappened(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.send(t, "POST", "/webhooks/plain", "r1", "Proof", proof, "X-Request-Id", "abc")
	for _, part := range []string{
		`"level":"INFO"`, `"msg":"webhook"`, `"source":"plain"`, `"status":200`, `"duration":`, `"request_id":"abc"`, `"events":1`,
		`"sequence":100`, `"subject":"plain/r1"`, `"type":"thing.done"`, `"event_id":`,
	} {
		require.Contains(t, h.logs.String(), part)
	}
	h.send(t, "POST", "/webhooks/plain", "r1")
	require.Contains(t, h.logs.String(), `"level":"WARN"`)
	require.Contains(t, h.logs.String(), "not genuine: wrong proof", "the log knows why")
	h.store.err = errors.New("disk full")
	h.send(t, "POST", "/webhooks/plain", "r1", "Proof", proof)
	require.Contains(t, h.logs.String(), `"level":"ERROR"`)
	require.Contains(t, h.logs.String(), "disk full")
}
