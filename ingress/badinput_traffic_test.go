package ingress_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// senderPatience is what the most patient of the senders documents. It is asked
// of nine in ten, since the machine may be busy with more than the attack; how
// many are within the five seconds of the least patient one is reported.
const senderPatience = 20 * time.Second

// traffic is genuine senders of all dialects, one after the other and each on a
// new connection, until it is ended.
type traffic struct {
	o       *outpost
	stop    chan struct{}
	running sync.WaitGroup

	mu       sync.Mutex
	took     []time.Duration
	repeated int
}

func (o *outpost) traffic(t *testing.T) *traffic {
	t.Helper()
	f := &traffic{o: o, stop: make(chan struct{})}
	for _, dialect := range providers.Dialects() {
		f.running.Go(func() {
			ticker := time.NewTicker(20 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-f.stop:
					return
				case <-ticker.C:
					f.send(t, dialect.Name)
				}
			}
		})
	}
	return f
}

// send delivers one event as its sender would: a 503 is no answer to rest on.
func (f *traffic) send(t *testing.T, dialect string) {
	t.Helper()
	r := f.o.genuine(t, dialect, samples.Options{At: time.Now()})
	for {
		start := time.Now()
		status, err := knock(f.o.address, r)
		took := time.Since(start)
		require.NoError(t, err, "a genuine sender gets no answer after %s", took)
		f.mu.Lock()
		f.took = append(f.took, took)
		if status == http.StatusServiceUnavailable {
			f.repeated++
		}
		f.mu.Unlock()
		if status != http.StatusServiceUnavailable {
			require.Equal(t, http.StatusOK, status)
			return
		}
	}
}

func knock(address string, r request) (status int, err error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(conn, r.String()); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// end stops the senders and checks that all that they sent was taken: mostly
// always at once, and the last always.
func (f *traffic) end(t *testing.T) {
	t.Helper()
	close(f.stop)
	f.running.Wait()
	slices.Sort(f.took)
	n := len(f.took)
	require.NotZero(t, n)
	t.Logf("%d genuine requests answered, %d of them 503 and sent again; half within %s, 99%% within %s, all within %s",
		n, f.repeated, f.took[n/2], f.took[n*99/100], f.took[n-1])
	hasty, _ := slices.BinarySearch(f.took, 5*time.Second)
	t.Logf("%d of them within 5 s", hasty)
	require.Less(t, f.took[n*9/10], senderPatience)
	require.LessOrEqual(t, f.repeated, n/5, "small bodies have room")
	stored := 0
	for _, event := range f.o.stored(t) {
		if event.Status == inbox.StatusPending {
			stored++
		}
	}
	require.Equal(t, n-f.repeated, stored, "each is in the inbox once")
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
