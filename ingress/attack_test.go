package ingress_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

// dial opens a connection and writes what a bad sender begins with.
func dial(t testing.TB, address, begin string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, begin)
	require.NoError(t, err)
	return conn
}

// reply is what a test looks at in an answer.
type reply struct {
	status     int
	retryAfter string
	close      bool
}

// answer reads the next answer on a connection.
func answer(t *testing.T, conn net.Conn) reply {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return reply{response.StatusCode, response.Header.Get("Retry-After"), response.Close}
}

const begin = "POST /webhooks/plain HTTP/1.1\r\nHost: door\r\nProof: " + proof + "\r\n"

func post(t *testing.T, address, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/webhooks/plain", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Proof", proof)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

func TestTooLargeChunkedStreamIsCutOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	conn := dial(t, h.serve(t), begin+"Transfer-Encoding: chunked\r\n\r\n")
	go func() { // it would go on for ever
		chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat("a", 64<<10))
		for {
			if _, err := io.WriteString(conn, chunk); err != nil {
				return
			}
		}
	}()
	require.Equal(t, http.StatusRequestEntityTooLarge, answer(t, conn).status)
	require.Empty(t, h.store.stored())
}

func TestTooLargeByHeaderIsRefusedUnread(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	conn := dial(t, h.serve(t), begin+"Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n")
	require.Equal(t, http.StatusRequestEntityTooLarge, answer(t, conn).status, "and no 100 before it")
}

func TestSlowLoris(t *testing.T) {
	t.Parallel()
	t.Run("TrickledBodyIsClosed", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		h.door.SetPatience(50 * time.Millisecond)
		conn := dial(t, h.serve(t), begin+"Content-Length: 1000\r\n\r\na")
		refused := answer(t, conn)
		require.Equal(t, http.StatusRequestTimeout, refused.status)
		require.True(t, refused.close)
		_, err := io.Copy(io.Discard, conn)
		require.NoError(t, err, "the door hangs up")
	})
	t.Run("LargeBodyAtAFairPaceIsNot", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		h.door.SetPatience(500 * time.Millisecond)
		conn := dial(t, h.serve(t), begin+"Content-Length: 1048576\r\n\r\n")
		ticker := time.NewTicker(100 * time.Millisecond) // 10 × 100 KiB: twice the patience in all
		defer ticker.Stop()
		body := strings.Repeat("a", 1<<20)
		for len(body) > 0 {
			n := min(len(body), 105_000)
			_, err := io.WriteString(conn, body[:n])
			require.NoError(t, err)
			body = body[n:]
			<-ticker.C
		}
		require.Equal(t, http.StatusOK, answer(t, conn).status)
	})
}

func TestHeaderFloodIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	conn := dial(t, h.serve(t), begin)
	go func() { // it would go on for ever
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("a", 1000)); err != nil {
				return
			}
		}
	}()
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answer(t, conn).status)
}

func TestStuckInboxIsAnsweredInTime(t *testing.T) {
	t.Parallel()
	t.Run("OneThatHeedsItsContext", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, func(o *ingress.Options) { o.AppendTimeout = 20 * time.Millisecond })
		h.store.heed = true
		require.Equal(t, http.StatusServiceUnavailable, h.send(t, "POST", "/webhooks/plain", "a", "Proof", proof).Code)
	})
	t.Run("OneThatDoesNot", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, func(o *ingress.Options) { o.AppendTimeout = 20 * time.Millisecond })
		h.store.hang = make(chan struct{})
		w := h.send(t, "POST", "/webhooks/plain", "a", "Proof", proof)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.Positive(t, h.door.Reserved(8<<20), "the body is still in memory, and still counted")

		close(h.store.hang) // the inbox comes back, and the event is durable after all
		require.Eventually(t, func() bool { return len(h.bell.all()) == 1 }, patience, time.Millisecond, "so it is rung")
		require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == 0 }, patience, time.Millisecond)
	})
	t.Run("TheDefaultIsWellWithinFiveSeconds", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		h.store.hang = make(chan struct{})
		defer close(h.store.hang)
		start := time.Now()
		require.Equal(t, http.StatusServiceUnavailable, h.send(t, "POST", "/webhooks/plain", "a", "Proof", proof).Code)
		require.Less(t, time.Since(start), 4*time.Second)
	})
}

func TestAcceptedEventIsRungThoughItsSenderHungUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.hang = make(chan struct{})
	conn := dial(t, h.serve(t), begin+"Content-Length: 1\r\n\r\na")
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) > 0 }, patience, time.Millisecond)
	require.NoError(t, conn.Close())
	close(h.store.hang)
	require.Eventually(t, func() bool { return len(h.bell.all()) == 1 }, patience, time.Millisecond)
}

func TestPanicInTheInboxIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *ingress.Options) { o.Bell = nil }) // ringing panics
	w := h.send(t, "POST", "/webhooks/plain", "a", "Proof", proof)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, h.logs.String(), "nil pointer")
}

func TestPanicInRefuseIsAnsweredPlainly(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *ingress.Options) { o.Sources[0].Provider = rude{} })
	w := h.send(t, "POST", "/webhooks/plain", "a")
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.JSONEq(t, `{"error":"unauthorized"}`, w.Body.String())
}

type rude struct{ sender }

func (rude) Refuse(providers.Request, int, string) providers.Answer { panic("no") }

func TestShutdownWaitsForRunningRequests(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.hang = make(chan struct{})
	server, err := ingress.Listen(t.Context(), "127.0.0.1:0", h.door.Handler(), h.options.Log)
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() { require.NoError(t, server.Serve()) })
	conn := dial(t, server.Addr().String(), begin+"Content-Length: 1\r\n\r\na")
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) > 0 }, patience, time.Millisecond)

	running.Go(func() { require.NoError(t, server.Shutdown(context.WithoutCancel(t.Context()))) })
	require.Eventually(t, func() bool {
		var dialer net.Dialer
		other, err := dialer.DialContext(t.Context(), "tcp", server.Addr().String())
		if err == nil {
			_ = other.Close()
		}
		return err != nil
	}, patience, time.Millisecond, "nothing more is accepted")
	close(h.store.hang)
	require.Equal(t, http.StatusOK, answer(t, conn).status)
	running.Wait()
}

func TestListenSaysWhatIsTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := ingress.Listen(t.Context(), h.serve(t), h.door.Handler(), h.options.Log)
	require.ErrorContains(t, err, "listen on 127.0.0.1:")
	var op *net.OpError
	require.ErrorAs(t, err, &op)
}
