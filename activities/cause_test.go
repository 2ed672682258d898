package activities_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
)

// TestCausesAreInOurOwnWords meets each way in which a destination may not answer.
func TestCausesAreInOurOwnWords(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	plain := newSink(t, ok)
	for name, c := range map[string]struct{ target, want string }{
		"NobodyListens":      {"http://127.0.0.1:1", "connection refused"},
		"NoSuchHost":         {"http://holdfast.invalid", "the host name cannot be resolved"},
		"StrangeCertificate": {secure.URL, "the TLS certificate is not accepted"},
		"NoTLS":              {strings.Replace(plain.URL, "http", "https", 1), "no TLS connection can be made"},
		"ConnectionClosed":   {raw(t, ""), "the connection was closed without an answer"},
		"NotHTTP":            {raw(t, "EHLO\r\n\r\n"), "the answer is not valid HTTP"},
		"Silence":            {newSink(t, hang).URL, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := activities.NewDestinations(activities.Config{DestinationConcurrency: 1}, slog.New(slog.DiscardHandler))
			t.Cleanup(d.Close)
			target, err := url.Parse(c.target)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			err = d.HTTP(target).Handle(ctx, sampleEvent())
			require.EqualError(t, err, "POST "+target.Host+": "+c.want)
			require.Equal(t, activities.Retryable, activities.Classify(err))
		})
	}
}

// raw is a server that reads a request and answers with these bytes.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 64<<10))
			_, _ = conn.Write([]byte(answer))
			_ = conn.Close()
		}
	}()
	return "http://" + l.Addr().String()
}
