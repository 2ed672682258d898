package ingress_test

import (
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
)

// serveFew puts a house's door on a listener with few connections.
func (h *house) serveFew(t *testing.T, limit int) *ingress.Server {
	t.Helper()
	server, err := ingress.Listen(t.Context(), "127.0.0.1:0", h.door.Handler(), h.options.Log)
	require.NoError(t, err)
	server.LimitConnections(limit)
	run(t, server)
	return server
}

// No kind of waiting keeps a place from a sender that comes.
func TestTheConnectionWaitedForLongestMakesRoom(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]struct {
		begin  string
		answer string // that tells that it has come so far
	}{
		"NothingSent":    {"", ""},
		"HalfARequest":   {"POST /webh", ""},
		"HeadersUnended": {"POST /webhooks/plain HTTP/1.1\r\nHost: door\r\n", ""},
		"BodyUnended":    {begin + "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 100"},
		"ChunksUnended":  {begin + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 100"},
		"KeptAlive":      {"GET / HTTP/1.1\r\nHost: door\r\n\r\n", "HTTP/1.1 404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const limit = 4
			h := newHouse(t)
			h.door.SetPatience(2 * patience) // nothing else ends them
			h.door.SetStall(2 * patience)
			server := h.serveFew(t, limit)
			for range limit {
				conn := dial(t, server.Addr().String(), kind.begin)
				require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
				answer := make([]byte, len(kind.answer))
				_, err := io.ReadFull(conn, answer)
				require.NoError(t, err)
				require.Equal(t, kind.answer, string(answer))
			}
			require.Eventually(t, func() bool { return server.Connections() == limit }, patience, time.Millisecond)
			for i := range 2 * limit {
				require.Equal(t, http.StatusOK, post(t, server.Addr().String(), fmt.Sprint(i)))
				require.LessOrEqual(t, server.Connections(), limit)
			}
		})
	}
}

func TestTheFirstToWaitIsTheFirstToGo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.serveFew(t, 2)
	first := dial(t, server.Addr().String(), "")
	require.Eventually(t, func() bool { return server.Connections() == 1 }, patience, time.Millisecond)
	second := dial(t, server.Addr().String(), "")
	require.Eventually(t, func() bool { return server.Connections() == 2 }, patience, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, server.Addr().String(), "a"))
	requireHungUp(t, first)
	_, err := io.WriteString(second, begin+"Content-Length: 1\r\n\r\nb")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer(t, second).status)
	require.Contains(t, h.logs.String(), "closed to make room")
}

func TestABodyThatMakesProgressKeepsItsPlace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.door.SetPatience(patience)
	h.door.SetStall(patience)
	server := h.serveFew(t, 2)
	steady := dial(t, server.Addr().String(), begin+fmt.Sprintf("Content-Length: %d\r\n\r\n", 1<<20))
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) > 0 }, patience, time.Millisecond)
	idle := dial(t, server.Addr().String(), "")
	require.Eventually(t, func() bool { return server.Connections() == 2 }, patience, time.Millisecond)
	sent := 0
	for total := 128 << 10; total < 1<<20; total *= 2 {
		_, err := io.WriteString(steady, strings.Repeat("a", total-sent))
		require.NoError(t, err)
		sent = total
		require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == int64(2*total) }, patience, time.Millisecond, "all is read, and there is room for more")
		next := dial(t, server.Addr().String(), "")
		requireHungUp(t, idle)
		idle = next
	}
	_, err := io.WriteString(steady, strings.Repeat("a", 1<<20-sent))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer(t, steady).status)
}

func TestAConnectionAtWorkIsNotClosedForAnother(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *ingress.Options) { o.AppendTimeout = patience })
	h.store.hang = make(chan struct{})
	server := h.serveFew(t, 3)
	var working []net.Conn
	for i := range 3 {
		working = append(working, dial(t, server.Addr().String(), begin+fmt.Sprintf("Content-Length: 1\r\n\r\n%d", i)))
	}
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == 3 }, patience, time.Millisecond)
	next := dial(t, server.Addr().String(), begin+"Content-Length: 1\r\n\r\n4")
	close(h.store.hang)
	for _, conn := range append(working, next) {
		require.Equal(t, http.StatusOK, answer(t, conn).status, "the next waits until there is room")
	}
	require.Len(t, h.store.stored(), 4)
}

func TestShutdownDoesNotWaitForRoom(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *ingress.Options) { o.AppendTimeout = patience })
	h.store.hang = make(chan struct{})
	server, err := ingress.Listen(t.Context(), "127.0.0.1:0", h.door.Handler(), h.options.Log)
	require.NoError(t, err)
	server.LimitConnections(1)
	var running sync.WaitGroup
	running.Go(func() { require.NoError(t, server.Serve()) })
	working := dial(t, server.Addr().String(), begin+"Content-Length: 1\r\n\r\na")
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == 1 }, patience, time.Millisecond)
	waiting := dial(t, server.Addr().String(), begin+"Content-Length: 1\r\n\r\nb")
	running.Go(func() { require.NoError(t, server.Shutdown(context.WithoutCancel(t.Context()))) })
	requireHungUp(t, waiting)
	close(h.store.hang)
	require.Equal(t, http.StatusOK, answer(t, working).status)
	running.Wait()
}

func TestTooManyHeaderLinesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	address := h.serve(t)
	flood := dial(t, address, begin+strings.Repeat("a:\r\n", 4000))
	require.Equal(t, http.StatusBadRequest, answer(t, flood).status)
	ordinary := begin + strings.Repeat("A: b\r\n", 150) + "Content-Length: 10000\r\n\r\n"
	conn := dial(t, address, ordinary+strings.Repeat("\n", 10_000))
	require.Equal(t, http.StatusOK, answer(t, conn).status, "a body may have any number of lines")
	_, err := io.WriteString(conn, strings.Replace(ordinary, "10000", "1", 1)+"b")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer(t, conn).status, "and so may all requests of a connection together")
	require.Len(t, h.store.stored(), 2)

	_, err = io.WriteString(conn, begin+strings.Repeat("a:\r\n", 4000))
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, answer(t, conn).status, "also not in a later request")
}

func requireHungUp(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.Copy(io.Discard, conn)
	require.False(t, isTimeout(err), "the door does not hang up")
}
