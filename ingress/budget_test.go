package ingress_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
)

func TestIdleSendersTakeNothingFromOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	address := h.serve(t)
	for i := range 64 {
		kind := "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
		if i%2 == 0 {
			kind = "Content-Length: 1048576\r\n\r\na"
		}
		dial(t, address, begin+kind)
	}
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) > 0 }, patience, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, address, strings.Repeat("a", 1<<20)), "the largest body still fits")
	require.LessOrEqual(t, h.door.Reserved(8<<20), int64(64*4<<10))
}

func TestBodiesInFlightAreLimitedAndRecover(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	address := h.serve(t)
	body := strings.Repeat("a", 1<<20)
	var full []net.Conn
	for range 8 { // eight times the last byte is missing
		full = append(full, dial(t, address, begin+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body[1:])))
	}
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == 8<<20 }, patience, time.Millisecond)

	conn := dial(t, address, begin+"Content-Length: 1\r\n\r\na")
	refused := answer(t, conn)
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	require.Equal(t, "5", refused.retryAfter)
	require.Empty(t, h.store.stored())

	for _, conn := range full {
		_, err := io.WriteString(conn, "a")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer(t, conn).status)
	}
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == 0 }, patience, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, address, "b"))
	require.Len(t, h.store.stored(), 9)
}

// Large bodies, of which nothing is proven yet, leave room for the many small ones.
func TestLargeBodiesLeaveRoomForSmallOnes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *ingress.Options) { o.Config.MaxBody = 4 << 20 })
	address := h.serve(t)
	for range 4 {
		dial(t, address, begin+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 4<<20, strings.Repeat("a", 4<<20-1)))
	}
	require.Eventually(t, func() bool { return strings.Count(h.logs.String(), "too many bodies in flight") == 3 }, patience, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, address, strings.Repeat("a", 1<<20)))
	require.Equal(t, http.StatusServiceUnavailable, post(t, address, strings.Repeat("a", 3<<20)))

	h = newHouse(t, func(o *ingress.Options) { o.Config = ingress.Config{MaxBody: 4 << 20, MaxBodiesInFlight: 4 << 20} })
	require.Equal(t, http.StatusOK, post(t, h.serve(t), strings.Repeat("a", 4<<20)), "the largest body always fits when there is no other")
}

func TestHungUpSenderGivesItsMemoryBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	conn := dial(t, h.serve(t), begin+"Content-Length: 1000\r\n\r\nabc")
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) > 0 }, patience, time.Millisecond)
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == 0 }, patience, time.Millisecond)
	require.Empty(t, h.store.stored(), "half a body is no event")
}
