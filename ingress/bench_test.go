package ingress_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/bench/cputime"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// BenchmarkAccept measures an accepted request. Door is the whole chain of handlers
// alone, for each dialect, over an inbox that costs nothing and a connection that is
// none. HTTP adds net/http and a real connection. SQLite is all of it: many senders
// at once, each event of theirs on disk before its 200.
func BenchmarkAccept(b *testing.B) {
	for _, dialect := range providers.Dialects() {
		b.Run("Door/"+dialect.Name, func(b *testing.B) {
			s := newBenchedDoor(b, dialect.Name, free{})
			report := cputime.Start()
			for b.Loop() {
				if status := s.accept(); status != http.StatusOK {
					b.Fatal(status)
				}
			}
			report(b, b.N)
		})
	}
	b.Run("HTTP", func(b *testing.B) {
		s := newBenchedDoor(b, "redo", free{})
		sender := newBenchedSender(b, s, s.serve(b))
		b.ResetTimer()
		report := cputime.Start()
		for n := range b.N {
			require.NoError(b, sender.deliver(n))
		}
		report(b, b.N)
	})
	b.Run("SQLite", func(b *testing.B) {
		store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "inbox.db"), sqlite.Options{})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, store.Close()) })
		s := newBenchedDoor(b, "redo", store)
		address, senders := s.serve(b), make(chan *benchedSender, benchedSenders*runtime.GOMAXPROCS(0))
		for range cap(senders) {
			senders <- newBenchedSender(b, s, address)
		}
		b.SetParallelism(benchedSenders)
		var sent atomic.Int64
		b.ResetTimer()
		before := store.Stats().Commits
		report := cputime.Start()
		b.RunParallel(func(pb *testing.PB) {
			sender := <-senders
			for pb.Next() {
				if err := sender.deliver(int(sent.Add(1))); err != nil {
					b.Error(err)
					return
				}
			}
		})
		report(b, b.N)
		b.ReportMetric(float64(b.N)/float64(store.Stats().Commits-before), "events/commit")
	})
}

// free is an inbox that keeps nothing.
type free struct{}

func (free) Append(_ context.Context, d inbox.Delivery) ([]inbox.Receipt, error) {
	receipts := make([]inbox.Receipt, len(d.Events))
	for i := range d.Events {
		e := &d.Events[i]
		receipts[i] = inbox.Receipt{EventID: e.EventID, Sequence: 1_000_000, Subject: e.Subject, Status: inbox.StatusPending}
	}
	return receipts, nil
}

// benchedDoor is a door as cmd makes it, but for where its log goes, and a request
// that it accepts. What it answers and reads is used again, so that what is
// allocated is the door's.
type benchedDoor struct {
	*house
	secret  string
	handler http.Handler
	sample  samples.Sample
	path    string
	request *http.Request
	body    *bytes.Reader
	writer  *discarding
}

func newBenchedDoor(tb testing.TB, dialect string, to inbox.Accepter) *benchedDoor {
	tb.Helper()
	settings := newThrowAways().settings[dialect]
	for name, value := range settings {
		tb.Setenv(ingress.SourceEnv(dialect)+"_"+name, value)
	}
	sources, _, err := ingress.LoadSources(providers.Dialects(), []string{dialect})
	require.NoError(tb, err)
	s := &benchedDoor{path: "/webhooks/" + dialect, secret: settings["SECRET"], writer: &discarding{header: http.Header{}}}
	s.sample, err = samples.Make(dialect, samples.Fill(dialect, samples.Options{At: time.Now()},
		func(name string) string { return settings[name] }))
	require.NoError(tb, err)
	if s.sample.Suffix != "" {
		s.path += "/" + s.sample.Suffix
	}
	s.house = newHouse(tb, func(o *ingress.Options) {
		o.Config = ingress.Config{MaxBody: 40 << 20, MaxBodiesInFlight: 256 << 20}
		o.Sources, o.Inbox, o.Bell = sources, to, mute{}
		o.Log = slog.New(slog.NewJSONHandler(s.writer, nil)) // as cmd has it
		o.AppendTimeout = patience
	})
	s.handler = s.door.Handler()
	s.body = bytes.NewReader(s.sample.Body)
	s.request, err = http.NewRequestWithContext(context.Background(), http.MethodPost, s.path, io.NopCloser(s.body))
	require.NoError(tb, err)
	s.request.Header, s.request.ContentLength = s.sample.Header, s.body.Size()
	return s
}

// accept makes the request of the door, without a network.
func (s *benchedDoor) accept() (status int) {
	s.body.Reset(s.sample.Body)
	clear(s.writer.header)
	s.handler.ServeHTTP(s.writer, s.request)
	return s.writer.status
}

type mute struct{}

func (mute) Ring(string) {}

// discarding is a connection that takes every answer.
type discarding struct {
	header http.Header
	status int
}

func (w *discarding) Header() http.Header              { return w.header }
func (w *discarding) Write(p []byte) (int, error)      { return len(p), nil }
func (w *discarding) WriteHeader(status int)           { w.status = status }
func (w *discarding) SetReadDeadline(time.Time) error  { return nil }
func (w *discarding) SetWriteDeadline(time.Time) error { return nil }

const (
	benchedSubjects = 200 // that all senders have together
	benchedSenders  = 32  // for each processor
)

// benchedSender is one connection that sends Redo's webhooks. It allocates nothing:
// what is counted is the server's.
type benchedSender struct {
	conn    net.Conn
	request []byte // as it goes over the wire
	subject []byte // the part of it that is the subject's number
	moment  []byte // the part of it that makes its key another one
	answer  [4096]byte
}

func newBenchedSender(tb testing.TB, s *benchedDoor, address string) *benchedSender {
	tb.Helper()
	const number, micros = "return-0000000", "2026-01-02T03:04:05.000000Z"
	at, err := time.Parse(time.RFC3339, micros)
	require.NoError(tb, err)
	sample, err := samples.Make("redo", samples.Options{Secret: s.secret, Subject: number, At: at})
	require.NoError(tb, err)
	var wire bytes.Buffer
	fmt.Fprintf(&wire, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Redo\r\nContent-Length: %d\r\n", s.path, address, len(sample.Body))
	require.NoError(tb, sample.Header.Write(&wire))
	wire.WriteString("\r\n")
	wire.Write(sample.Body)
	sender := &benchedSender{request: wire.Bytes()}
	sender.subject = part(tb, sender.request, number, len("return-"))
	sender.moment = part(tb, sender.request, `"at":"`+micros, len(`"at":"2026-01-02T03:04:05.`))[:6]
	sender.conn = dial(tb, address, "")
	return sender
}

// part finds the only place of a text in a request, and what is behind its beginning.
func part(tb testing.TB, request []byte, text string, begin int) []byte {
	tb.Helper()
	require.Equal(tb, 1, bytes.Count(request, []byte(text)), text)
	at := bytes.Index(request, []byte(text))
	return request[at+begin : at+len(text)]
}

// deliver sends the n-th webhook and reads its answer.
func (s *benchedSender) deliver(n int) error {
	write(s.subject, n%benchedSubjects)
	write(s.moment, n/benchedSubjects)
	if _, err := s.conn.Write(s.request); err != nil {
		return err
	}
	answer := s.answer[:0]
	for !bytes.HasSuffix(answer, []byte(`"duplicate":false}]}`)) {
		read, err := s.conn.Read(s.answer[len(answer):])
		answer = s.answer[:len(answer)+read]
		if err != nil {
			return fmt.Errorf("%w after %q", err, answer)
		}
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("answered with %q", answer)
	}
	return nil
}

// write writes a number in as many digits as there is room for.
func write(digits []byte, n int) {
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = '0' + byte(n%10)
		n /= 10
	}
}
