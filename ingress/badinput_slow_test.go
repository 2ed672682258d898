package ingress_test

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

const (
	slowSenders = 60                         // of each kind
	noRequest   = "HTTP/1.1 400 Bad Request" // or no answer, if there is nothing to answer
)

// TestSlowSendersAreCutOff is about those who send a byte a second, or nothing at
// all, with the limits of production: the door hangs up on each of its own
// accord, and meanwhile serves everybody else.
func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, ingress.ReadHeaderTimeout, 10*time.Second)
	require.LessOrEqual(t, ingress.Patience, 10*time.Second)
	o := newOutpost(t)
	traffic := o.traffic(t)
	post := func(target string, lines ...string) string {
		return "POST /webhooks/" + target + " HTTP/1.1\r\nHost: door\r\n" + strings.Join(lines, "\r\n")
	}
	proven := o.genuine(t, "redo", samples.Options{}).with("Content-Length", "1000").head()
	var slow sync.WaitGroup
	for _, kind := range []struct{ begin, answer string }{
		{"", noRequest},
		{"POST /webh", noRequest},
		{post("redo", "X-Slow: "), noRequest},
		{post("socialboards", "Content-Length: 1000", "", ""), "HTTP/1.1 408 Request Timeout"},
		{post("redeam/product", "Transfer-Encoding: chunked", "", "3e8\r\n"), "HTTP/1.1 408 Request Timeout"},
		{post("redeam/product", "Transfer-Encoding: chunked", "", "0"), "HTTP/1.1 408 Request Timeout"},
		{proven, "HTTP/1.1 408 Request Timeout"},
		{post("redo", "Content-Length: 1000", "", ""), "HTTP/1.1 401 Unauthorized"},
		{post("nobody", "Transfer-Encoding: chunked", "", "3e8\r\n"), "HTTP/1.1 404 Not Found"},
	} {
		for i := range slowSenders {
			slow.Go(func() {
				said, _, _ := strings.Cut(o.trickle(t, kind.begin, i%2 == 0), "\r\n")
				if said == "" {
					require.Equal(t, noRequest, kind.answer)
				} else {
					require.Equal(t, kind.answer, said)
				}
			})
		}
	}
	slow.Wait()
	traffic.end(t)
	after := o.calm(t)
	t.Logf("peak memory %d MiB", after.Peak>>20)
}

// trickle sends a beginning, and then a byte a second or nothing, until the door
// hangs up. It returns what the door said.
func (o *outpost) trickle(t *testing.T, begin string, more bool) string {
	t.Helper()
	conn := dial(t, o.address, begin)
	cut := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for more {
			select {
			case <-cut:
				return
			case <-ticker.C:
				_, _ = io.WriteString(conn, "0")
			}
		}
	})
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	said, err := io.ReadAll(conn)
	close(cut)
	sending.Wait()
	require.False(t, isTimeout(err), "a slow sender is not cut off")
	return string(said)
}
