package ingress_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers"
)

// What the headers prove wrong is answered while the body is still outstanding,
// and without a byte of memory for it.
func TestForgedHeadersAreRefusedUnread(t *testing.T) {
	h := newRealHouse(t)
	const large, unproven = 40 << 20, providers.MaxUnproven
	for name, tt := range map[string]struct {
		source, header string
		length         int
	}{
		"RedoWithoutAProof":         {"redo", "", large},
		"RedoWithoutAProofSmall":    {"redo", "", 10},
		"RedoWithAWrongOne":         {"redo", "Authorization: Bearer wrong\r\n", large},
		"RedoxWithAWrongBearer":     {"redox", "Authorization: Bearer wrong\r\n", 10},
		"RedoxWithAWrongToken":      {"redox", "Verification-Token: wrong\r\n", large},
		"RedoxTooLongForAHandshake": {"redox", "", unproven + 1},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, h.address, fmt.Sprintf("POST /webhooks/%s HTTP/1.1\r\nHost: door\r\n%sContent-Length: %d\r\n\r\n", tt.source, tt.header, tt.length))
			refused := answer(t, conn)
			require.Equal(t, http.StatusUnauthorized, refused.status)
			require.True(t, refused.close)
			require.Zero(t, h.door.Reserved(256<<20))
		})
	}
	t.Run("RedoxStreamTooLongForAHandshake", func(t *testing.T) {
		conn := dial(t, h.address, "POST /webhooks/redox HTTP/1.1\r\nHost: door\r\nTransfer-Encoding: chunked\r\n\r\n")
		_, err := fmt.Fprintf(conn, "%x\r\n%s\r\n", unproven+1, strings.Repeat("a", unproven+1))
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, answer(t, conn).status)
	})
	t.Run("RedoxHandshakeNeedsNoHeader", func(t *testing.T) {
		body := fmt.Sprintf(`{"challenge":"c","verification-token":%q}`, h.settings["redox"]["TOKEN"])
		conn := dial(t, h.address, fmt.Sprintf("POST /webhooks/redox HTTP/1.1\r\nHost: door\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		require.Equal(t, http.StatusOK, answer(t, conn).status)
	})
	events, err := h.inbox.Events(t.Context(), inbox.EventFilter{})
	require.NoError(t, err)
	require.Empty(t, events)
	require.Contains(t, h.logs.String(), "longer than a handshake", "the log knows why")
	require.NotContains(t, h.logs.String(), h.settings["redox"]["TOKEN"])
}

func TestStalledBodyIsClosedWhateverItEarned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	// Half a megabyte at once earns twelve seconds.
	conn := dial(t, h.serve(t), begin+"Content-Length: 1048576\r\n\r\n"+strings.Repeat("a", 1<<19))
	start := time.Now()
	require.Equal(t, http.StatusRequestTimeout, answer(t, conn).status)
	require.Less(t, time.Since(start), 8*time.Second)
	require.Eventually(t, func() bool { return h.door.Reserved(8<<20) == 0 }, patience, time.Millisecond)
}

// The rest of a refused body is taken in for a second, not for as long as a body may take.
func TestRefusedBodyIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	address := h.serve(t)
	for _, rest := range []string{"Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"} {
		for _, path := range []string{"/webhooks/nobody", "/webhooks/plain"} {
			conn := dial(t, address, "PUT "+path+" HTTP/1.1\r\nHost: door\r\n"+rest)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(25*time.Second)), "the server's own limit is 30 s")
			_, err := io.ReadAll(conn)
			require.NoError(t, err)
		}
	}
}

func TestSteadyTrickleIsNoStall(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.door.SetStall(500 * time.Millisecond)
	conn := dial(t, h.serve(t), begin+"Content-Length: 12\r\n\r\n")
	ticker := time.NewTicker(100 * time.Millisecond) // 12 × 100 ms: more than twice the limit in all
	defer ticker.Stop()
	for range 12 {
		_, err := io.WriteString(conn, "a")
		require.NoError(t, err)
		<-ticker.C
	}
	require.Equal(t, http.StatusOK, answer(t, conn).status)
}
