package ingress_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
)

// counted is a listener that counts how often its connections are read from.
type counted struct {
	net.Listener
	reads *atomic.Int64
}

func (l counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countedConn{conn, l.reads}, err
}

type countedConn struct {
	net.Conn
	reads *atomic.Int64
}

func (c countedConn) Read(p []byte) (int, error) {
	c.reads.Add(1)
	return c.Conn.Read(p)
}

func TestNobodyReadsWhileAnEventIsStored(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server, err := ingress.Listen(t.Context(), "127.0.0.1:0", h.door.Handler(), h.options.Log)
	require.NoError(t, err)
	var reads atomic.Int64
	server.ListenThrough(func(l net.Listener) net.Listener { return counted{l, &reads} })
	run(t, server)
	conn := dial(t, server.Addr().String(), "")
	const requests = 200
	for range requests {
		_, err := io.WriteString(conn, begin+"Content-Length: 1\r\n\r\na")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer(t, conn).status)
	}
	// One for each request; a second one where the processor was taken away just
	// between the end of the body and the deafening.
	require.Less(t, reads.Load(), int64(requests*3/2))
}

func TestTheNextRequestOfADeafConnectionIsHeard(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"OfKnownLength": begin + "Content-Length: 1\r\n\r\na",
		"Chunked":       begin + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"WithATrailer":  begin + "Transfer-Encoding: chunked\r\nTrailer: A\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, func(o *ingress.Options) { o.AppendTimeout = patience })
			h.store.hang = make(chan struct{})
			conn := dial(t, h.serve(t), request)
			require.Eventually(t, func() bool { return h.door.Reserved(8<<20) > 0 }, patience, time.Millisecond)
			_, err := io.WriteString(conn, strings.Repeat(request, 3)) // while nobody listens
			require.NoError(t, err)
			close(h.store.hang)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
			all := make([]byte, 0, 8<<10)
			for strings.Count(string(all), "HTTP/1.1 200 OK") < 4 {
				n, err := conn.Read(all[len(all):cap(all)])
				require.NoError(t, err)
				all = all[:len(all)+n]
			}
			require.Len(t, h.store.stored(), 4)
		})
	}
}

// Who heeds a request's context is told of a sender that hangs up.
func TestOtherHandlersHearTheirSenderHangUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	reached, told := make(chan struct{}), make(chan struct{})
	server, err := ingress.Listen(t.Context(), "127.0.0.1:0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(reached)
		<-r.Context().Done()
		close(told)
	}), h.options.Log)
	require.NoError(t, err)
	run(t, server)
	conn := dial(t, server.Addr().String(), begin+"Content-Length: 1\r\n\r\na")
	for _, c := range []<-chan struct{}{reached, told} {
		select {
		case <-c:
		case <-time.After(patience):
			require.Fail(t, "the handler hears nothing")
		}
		_ = conn.Close()
	}
}
