package ingress_test

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// memoryBound is what the README tells people to plan for, by the default of
// HOLDFAST_MAX_BODIES_IN_FLIGHT.
const memoryBound = int64(3 * 256 << 20)

const (
	idleSenders  = 10_000
	largeSenders = 8
	largeBody    = 100 << 20
)

// TestFloods is all that strangers can do at once, against the limits of
// production, while genuine senders go about their business.
func TestFloods(t *testing.T) {
	t.Parallel()
	o := newOutpost(t)
	traffic := o.traffic(t)
	t.Run("IdleConnections", func(t *testing.T) { floodIdle(t, o) })
	t.Run("HeadersWithoutEnd", func(t *testing.T) { floodHeaders(t, o) })
	t.Run("LargeBodies", func(t *testing.T) { floodLarge(t, o) })
	t.Run("LargeBodiesOfSmallValues", func(t *testing.T) { floodValues(t, o) })
	traffic.end(t)
	after := o.calm(t)
	t.Logf("peak memory %d MiB of at most %d, resident %d MiB", after.Peak>>20, memoryBound>>20, after.Resident>>20)
	require.Less(t, after.Peak, memoryBound)
}

// floodIdle opens connections that never ask for anything, or never again.
func floodIdle(t *testing.T, o *outpost) {
	t.Helper()
	n := idleSenders
	var files unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &files))
	if most := int(files.Cur) - 2000; most < n {
		n = max(0, most)
		t.Logf("ONLY %d IDLE CONNECTIONS: no more than %d files may be open here", n, files.Cur)
	}
	var idle sync.WaitGroup
	connections := make(chan net.Conn, n)
	for worker := range 4 {
		idle.Go(func() {
			for i := worker; i < n; i += 4 {
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", o.address)
				require.NoError(t, err)
				connections <- conn
				if i%10 == 0 { // kept alive: it may idle for minutes
					_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: door\r\n\r\n")
				}
			}
		})
	}
	idle.Wait()
	seen := o.look(t, math.MaxInt64)
	t.Logf("%d idle connections opened, %d connections open at the door, memory %d MiB", n, seen.Connections, seen.Memory>>20)
	require.LessOrEqual(t, seen.Connections, ingress.MaxConnections)
	t.Cleanup(func() { // they are there during the other floods, as far as they are left
		close(connections)
		for conn := range connections {
			_ = conn.Close()
		}
	})
}

// floodHeaders begins more requests than there may be connections, each with as
// many headers as it can, and ends none of them.
func floodHeaders(t *testing.T, o *outpost) {
	t.Helper()
	var many strings.Builder
	for i := range 8000 {
		fmt.Fprintf(&many, "%x:\r\n", i)
	}
	few := strings.Repeat("X: "+strings.Repeat("x", 300)+"\r\n", 100)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := worker; i < ingress.MaxConnections+100; i += 4 {
				conn := dial(t, o.address, "POST /webhooks/redo HTTP/1.1\r\nHost: door\r\n")
				_, _ = io.WriteString(conn, []string{many.String(), few}[i/4%2])
			}
		})
	}
	all.Wait()
	seen := o.look(t, math.MaxInt64)
	t.Logf("%d connections open at the door, memory %d MiB", seen.Connections, seen.Memory>>20)
	require.LessOrEqual(t, seen.Connections, ingress.MaxConnections)
}

// floodLarge sends bodies that are far too large, said and unsaid, of senders
// who hold the proof and of those who do not need one.
func floodLarge(t *testing.T, o *outpost) {
	t.Helper()
	var large sync.WaitGroup
	for i := range largeSenders {
		large.Go(func() {
			dialect := []string{"redo", "redox", "redeam", "socialboards"}[i%4]
			r := o.genuine(t, dialect, samples.Options{})
			if i < 4 {
				statuses, _ := o.throw(t, r.with("Content-Length", fmt.Sprint(largeBody)).head())
				require.Equal(t, []int{http.StatusRequestEntityTooLarge}, statuses)
				return
			}
			conn := dial(t, o.address, r.with("Content-Length").with("Transfer-Encoding", "chunked").head())
			chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<20, strings.Repeat(" ", 1<<20))
			for range largeBody >> 20 {
				if _, err := io.WriteString(conn, chunk); err != nil {
					break
				}
			}
			// 408: on a busy machine it comes too slowly.
			refusals := []int{http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable, http.StatusRequestTimeout}
			require.Contains(t, refusals, answer(t, conn).status)
		})
	}
	large.Wait()
}

// floodValues sends bodies made of nothing but the smallest values. What they
// are in memory is in the tests of the providers.
func floodValues(t *testing.T, o *outpost) {
	t.Helper()
	var values sync.WaitGroup
	for dialect, text := range map[string][3]string{
		"redox":        {`{"resourceType":"Bundle","type":"message","entry":[`, "{},", `{}]}`},
		"redeam":       {`{"x":[`, "[],", `0]}`},
		"socialboards": {`{"CommunityName":"` + o.settings["socialboards"]["COMMUNITY"] + `","EventType":"x","TicketId":1,"Events":[`, "0,", `0]}`},
	} {
		values.Go(func() {
			large := o.body(t, dialect, text[0]+strings.Repeat(text[1], (2<<20)/len(text[1]))+text[2])
			for {
				statuses, bodies := o.throw(t, large)
				require.Len(t, statuses, 1)
				if statuses[0] != http.StatusServiceUnavailable { // a busy machine's
					require.Equal(t, http.StatusOK, statuses[0])
					event := receipts(t, bodies[0])[0]
					require.Empty(t, event.Subject, "it is quarantined")
					return
				}
			}
		})
	}
	values.Wait()
}
