package ingress_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// patience is for a machine with more to do than this test.
const patience = time.Minute

// outpost is a door in a process of its own, with every dialect as a source
// under its own name. At the end it must stop of its own accord, with no
// goroutine left, and without ever having panicked or logged a secret.
type outpost struct {
	*throwAways
	address string
	logs    *logs
	before  sight

	mu      sync.Mutex
	in      io.WriteCloser
	out     *bufio.Scanner
	samples int
}

func newOutpost(t *testing.T) *outpost {
	t.Helper()
	o := &outpost{throwAways: newThrowAways(), logs: &logs{}}
	environment := []string{
		outpostVariable + "=" + filepath.Join(t.TempDir(), "inbox.db"),
		"HOLDFAST_LISTEN=127.0.0.1:0", "HOLDFAST_SOURCES=redox,redeam,redo,socialboards",
	}
	for dialect, settings := range o.settings {
		for name, value := range settings {
			environment = append(environment, ingress.SourceEnv(dialect)+"_"+name+"="+value)
		}
	}
	command := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0]) // it ends with its input
	command.Env = append(os.Environ(), environment...)
	command.Stderr = o.logs
	in, err := command.StdinPipe()
	require.NoError(t, err)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	o.in, o.out = in, bufio.NewScanner(out)
	o.out.Buffer(nil, 64<<20)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		last := o.read(t)
		require.Empty(t, last.Left, "goroutines that have not ended")
		require.NoError(t, command.Wait(), "it crashed")
		require.NotContains(t, o.logs.String(), `"stack"`, "it panicked")
		for _, settings := range o.settings {
			for name, secret := range settings {
				if name != "COMMUNITY" { // a part of the subject
					require.NotContains(t, o.logs.String(), secret, name)
				}
			}
		}
	})
	o.before = o.read(t)
	o.address = o.before.Address
	return o
}

func (o *outpost) read(t *testing.T) sight {
	t.Helper()
	require.True(t, o.out.Scan(), "the outpost says no more: %v\n%s", o.out.Err(), o.logs.String())
	var s sight
	require.NoError(t, json.Unmarshal(o.out.Bytes(), &s), o.out.Text())
	require.Empty(t, s.Error)
	return s
}

// look sees what is there, with the events after a sequence.
func (o *outpost) look(t *testing.T, after int64) sight {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := fmt.Fprintln(o.in, after)
	require.NoError(t, err)
	return o.read(t)
}

// stored is every event there is, by its sequence.
func (o *outpost) stored(t *testing.T) map[int64]inbox.Event {
	t.Helper()
	events := map[int64]inbox.Event{}
	for after, more := int64(0), true; more; {
		next := o.look(t, after).Events
		for _, event := range next {
			events[event.Sequence] = event
			after = event.Sequence
		}
		more = len(next) > 0
	}
	return events
}

// calm waits until everything that was opened is closed, and given back.
func (o *outpost) calm(t *testing.T) sight {
	t.Helper()
	var s sight
	require.Eventually(t, func() bool {
		s = o.look(t, math.MaxInt64)
		return s.Connections == 0 && s.Reserved == 0 && s.Goroutines <= o.before.Goroutines
	}, patience, 20*time.Millisecond, "the attack is over")
	return s
}

// request is a request as bytes, so that it can be a bad one.
type request struct {
	method, target string
	header         [][2]string // lines; without a name, the whole line is the value
	body           []byte
}

// genuine makes a request that is accepted as it is, and that no other is a
// duplicate of. Its connection ends with it.
func (o *outpost) genuine(t *testing.T, dialect string, options samples.Options) request {
	t.Helper()
	o.mu.Lock()
	o.samples++
	options.N = o.samples
	o.mu.Unlock()
	s := o.sample(t, dialect, options)
	r := request{method: s.Method, target: "/webhooks/" + dialect, body: s.Body}
	if s.Suffix != "" {
		r.target += "/" + s.Suffix
	}
	if len(s.Query) > 0 {
		r.target += "?" + s.Query.Encode()
	}
	r.header = [][2]string{{"Host", "door"}, {"Connection", "close"}}
	for name, values := range s.Header {
		for _, value := range values {
			r.header = append(r.header, [2]string{name, value})
		}
	}
	if s.Method == http.MethodPost {
		r.header = append(r.header, [2]string{"Content-Length", fmt.Sprint(len(s.Body))})
	}
	return r
}

// with replaces a header: by several, or by none.
func (r request) with(name string, values ...string) request {
	var header [][2]string
	for _, line := range r.header {
		if !strings.EqualFold(line[0], name) {
			header = append(header, line)
		}
	}
	for _, value := range values {
		header = append(header, [2]string{name, value})
	}
	r.header = header
	return r
}

func (r request) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.method, r.target)
	for _, line := range r.header {
		if line[0] != "" {
			b.WriteString(line[0] + ": ")
		}
		b.WriteString(line[1] + "\r\n")
	}
	return b.String() + "\r\n"
}

func (r request) String() string { return r.head() + string(r.body) }

// throw sends bytes, and nothing after them, and returns the statuses of all
// answers until the door hangs up, which it must, and their bodies.
func (o *outpost) throw(t *testing.T, bytesToSend string) (statuses []int, bodies [][]byte) {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", o.address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	var sending sync.WaitGroup
	sending.Go(func() { // a refusal may come before all is sent
		_, _ = io.WriteString(conn, bytesToSend)
		_ = conn.(*net.TCPConn).CloseWrite()
	})
	defer sending.Wait()
	reader := bufio.NewReader(conn)
	for {
		if _, err := reader.Peek(1); err != nil {
			require.False(t, isTimeout(err), "the door does not hang up")
			return statuses, bodies
		}
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		body, _ := io.ReadAll(response.Body)
		require.NoError(t, response.Body.Close())
		statuses, bodies = append(statuses, response.StatusCode), append(bodies, body)
	}
}

var pending, quarantined = []inbox.Status{inbox.StatusPending}, []inbox.Status{inbox.StatusQuarantined}

// requireSound checks what is true of every event, however odd its webhook.
func requireSound(t *testing.T, event inbox.Event) {
	t.Helper()
	if event.Status == inbox.StatusQuarantined {
		require.NotEmpty(t, event.Reason)
	} else {
		require.NotEmpty(t, event.Subject)
		require.NotEmpty(t, event.Key)
	}
	if event.Subject != "" { // what Temporal stores whole, and its client sends as a header
		require.Regexp(t, `^`+event.Source+`/[ -~]*[!-~]$`, event.Subject)
		require.LessOrEqual(t, len(event.Subject), 255)
	}
	require.False(t, strings.ContainsAny(event.Type+event.Key+event.Reason, "\x00\r\n"))
}
