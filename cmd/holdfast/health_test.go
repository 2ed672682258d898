package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

// startHealth starts a real operator listener whose checks answer this.
func startHealth(t *testing.T, checks map[string]error) string {
	t.Helper()
	var list []operator.Check
	for name, err := range checks {
		list = append(list, operator.Check{Name: name, Run: func(context.Context) error { return err }})
	}
	api := operator.New(operator.Options{
		Config: operator.Config{OperatorToken: testToken}, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Checks: list,
	})
	server := httptest.NewServer(api.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

func TestHealthOfAProcessThatIsWell(t *testing.T) {
	t.Parallel()
	url := startHealth(t, map[string]error{"inbox": nil})
	alive := command(t, noEnvironment, "", "health", "--operator-url", url)
	require.NoError(t, alive.err)
	require.Equal(t, "alive\n", alive.stdout)
	ready := command(t, noEnvironment, "", "health", "--ready", "--operator-url", url)
	require.NoError(t, ready.err)
	require.Equal(t, "ready\n", ready.stdout)
}

func TestHealthOfAProcessThatIsNotReady(t *testing.T) {
	t.Parallel()
	url := startHealth(t, map[string]error{"inbox": errors.New("connection refused"), "disk": nil, "worker": errors.New("not connected")})
	ready := command(t, noEnvironment, "", "health", "--ready", "--operator-url", url)
	require.EqualError(t, ready.err, "not ready: inbox: connection refused; worker: not connected")
	require.Empty(t, ready.stdout)
	// To restart it would repair nothing, so it is alive.
	require.NoError(t, command(t, noEnvironment, "", "health", "--operator-url", url).err)
}

func TestHealthFindsTheProcessByItsListenAddress(t *testing.T) {
	t.Parallel()
	r := startAPI(t, testToken)
	require.Equal(t, "alive\n", r.do(t, "health"))
}

func TestHealthIsNotWhatSomebodyElseAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"Page": "<html>", "EmptyObject": "{}", "Nothing": "", "NotReadyWithoutReason": `{"ready":false}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
			t.Cleanup(server.Close)
			for _, args := range [][]string{{"health"}, {"health", "--ready"}} {
				r := command(t, noEnvironment, "", append(args, "--operator-url", server.URL)...)
				require.ErrorContains(t, r.err, "not as Holdfast's operator API does")
			}
		})
	}
}

func TestHealthOfNobody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	r := command(t, noEnvironment, "", "health", "--operator-url", server.URL)
	require.ErrorContains(t, r.err, "nothing listens at "+server.URL)
}

func TestHealthDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	hanging := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hanging:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hanging) })
	r := command(t, noEnvironment, "", "health", "--timeout", "50ms", "--operator-url", server.URL)
	require.ErrorIs(t, r.err, context.DeadlineExceeded)
}
