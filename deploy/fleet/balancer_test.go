package fleet_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

// ingress is an upstream of a test: it counts, and is ready until told otherwise.
type ingress struct {
	*httptest.Server
	requests atomic.Int32
	bodies   chan string
	unready  atomic.Bool
}

func newIngress(t *testing.T, serve http.HandlerFunc) *ingress {
	t.Helper()
	i := &ingress{bodies: make(chan string, 100)}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.requests.Add(1)
		body, _ := io.ReadAll(r.Body)
		i.bodies <- string(body)
		if serve != nil {
			serve(w, r)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *ingress) upstream() fleet.Upstream {
	return fleet.Upstream{URL: i.URL, Ready: func(context.Context) error {
		if i.unready.Load() {
			return errors.New("not ready")
		}
		return nil
	}}
}

func balance(t *testing.T, upstreams ...fleet.Upstream) (url string) {
	t.Helper()
	port, err := fleet.FreePort(t.Context())
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", itoa(port))
	b, err := fleet.StartBalancer(t.Context(), address, upstreams, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return "http://" + address
}

func post(t *testing.T, url string) *http.Response {
	t.Helper()
	answer, err := http.Post(url+"/webhooks/redo?a=b", "application/json", strings.NewReader("body"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

func TestTheBalancerGivesIngressesTurns(t *testing.T) {
	t.Parallel()
	one, two := newIngress(t, nil), newIngress(t, nil)
	url := balance(t, one.upstream(), two.upstream())
	for range 10 {
		require.Equal(t, http.StatusOK, post(t, url).StatusCode)
	}
	require.Equal(t, int32(5), one.requests.Load())
	require.Equal(t, int32(5), two.requests.Load())
	require.Equal(t, "body", <-one.bodies)
}

func TestTheBalancerPassesAnswersOn(t *testing.T) {
	t.Parallel()
	one := newIngress(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	answer := post(t, balance(t, one.upstream()))
	require.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
	require.Equal(t, "7", answer.Header.Get("Retry-After"))
	require.Equal(t, int32(1), one.requests.Load())
}

func TestARequestGoesToAnotherIngressWhenOneCannotBeConnectedTo(t *testing.T) {
	t.Parallel()
	dead, living := newIngress(t, nil), newIngress(t, nil)
	url := balance(t, dead.upstream(), living.upstream())
	dead.Close()
	for range 4 {
		require.Equal(t, http.StatusOK, post(t, url).StatusCode)
		require.Equal(t, "body", <-living.bodies, "the whole of it")
	}
}

func TestARequestOfWhichSomethingWasSentIsTheSendersToRepeat(t *testing.T) {
	t.Parallel()
	dying := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	one, two := newIngress(t, dying), newIngress(t, dying)
	answer := post(t, balance(t, one.upstream(), two.upstream()))
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.Equal(t, "1", answer.Header.Get("Retry-After"))
	require.Equal(t, int32(1), one.requests.Load()+two.requests.Load())
}

func TestAnIngressThatIsNotReadyGetsNothing(t *testing.T) {
	t.Parallel()
	one, two := newIngress(t, nil), newIngress(t, nil)
	one.unready.Store(true)
	url := balance(t, one.upstream(), two.upstream())
	for range 4 {
		require.Equal(t, http.StatusOK, post(t, url).StatusCode)
	}
	require.Zero(t, one.requests.Load())

	two.unready.Store(true)
	require.Eventually(t, func() bool {
		answer := post(t, url)
		return answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") == "1"
	}, time.Minute, 20*time.Millisecond, "and a sender is told to come again when none is")

	one.unready.Store(false)
	require.Eventually(t, func() bool { return post(t, url).StatusCode == http.StatusOK }, time.Minute, 20*time.Millisecond)
}
