package ingress_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

// sender is a provider whose proof is the header Proof. Its body is read by
// parse; nil makes one event whose subject and key are the body.
type sender struct {
	parse func(providers.Request) ([]providers.Event, error)
}

const proof = "proof-7c1e"

func (sender) Verify(r providers.Request) error {
	switch r.Header.Get("Proof") {
	case proof:
		return nil
	case "panic":
		panic("secret-in-a-panic")
	case "odd":
		return fmt.Errorf("the key server is away")
	default:
		return fmt.Errorf("%w: wrong proof", providers.ErrNotGenuine)
	}
}

func (s sender) Parse(r providers.Request) ([]providers.Event, error) {
	if s.parse != nil {
		return s.parse(r)
	}
	return []providers.Event{{Type: "thing.done", Subject: string(r.Body), Key: string(r.Body)}}, nil
}

// polite is a sender with everything that is optional.
type polite struct{ sender }

func (polite) Handshake(r providers.Request) (providers.Answer, bool) {
	challenge := r.Query.Get("challenge")
	if r.Method == http.MethodPost {
		challenge = strings.TrimPrefix(string(r.Body), "challenge:")
		if challenge == string(r.Body) {
			return providers.Answer{}, false
		}
	}
	return providers.Answer{Status: http.StatusOK, ContentType: "text/plain", Body: []byte(challenge)}, challenge != ""
}

func (polite) Refuse(_ providers.Request, status int, text string) providers.Answer {
	return providers.Answer{Status: status, ContentType: "application/fine+json", Body: []byte(`{"fine":"` + text + `"}`)}
}

func (polite) AcceptsSuffix(suffix string) bool { return suffix == "product" }

// store is an inbox that remembers, or fails, or hangs.
type store struct {
	mu         sync.Mutex
	deliveries []inbox.Delivery
	err        error
	hang       chan struct{} // Append ignores its context until it is closed
	heed       bool          // Append waits for its context's end
}

func (s *store) Append(ctx context.Context, d inbox.Delivery) ([]inbox.Receipt, error) {
	if s.hang != nil {
		<-s.hang
	}
	if s.heed {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	d.Body = bytes.Clone(d.Body)
	s.deliveries = append(s.deliveries, d)
	var receipts []inbox.Receipt
	for i, e := range d.Events {
		status := inbox.StatusPending
		if e.Quarantine != "" {
			status = inbox.StatusQuarantined
		}
		receipts = append(receipts, inbox.Receipt{
			EventID: e.EventID, Sequence: int64(len(s.deliveries)*100 + i), Subject: e.Subject,
			Status: status, Ring: status == inbox.StatusPending,
		})
	}
	return receipts, nil
}

func (s *store) stored() []inbox.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]inbox.Delivery(nil), s.deliveries...)
}

// bell remembers who was rung.
type bell struct {
	mu   sync.Mutex
	rung []string
}

func (b *bell) Ring(subject string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = append(b.rung, subject)
}

func (b *bell) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.rung...)
}

// logs is a log that tests can search while it is written.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// house is a door with fresh everything.
type house struct {
	store    *store
	bell     *bell
	logs     *logs
	registry *prometheus.Registry
	door     *ingress.Door
	options  ingress.Options
}

func newHouse(t testing.TB, change ...func(*ingress.Options)) *house {
	t.Helper()
	h := &house{store: &store{}, bell: &bell{}, logs: &logs{}, registry: prometheus.NewRegistry()}
	h.options = ingress.Options{
		Config: ingress.Config{MaxBody: 1 << 20, MaxBodiesInFlight: 8 << 20},
		Sources: []ingress.Source{
			{Name: "plain", Dialect: "simple", Source: providers.Source{Provider: sender{}}},
			{Name: "polite", Dialect: "fine", Source: providers.Source{Provider: polite{}}},
		},
		Inbox:    h.store,
		Bell:     h.bell,
		Log:      slog.New(slog.NewJSONHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registry: h.registry,
		Now:      time.Now,
	}
	for _, f := range change {
		f(&h.options)
	}
	h.door = ingress.New(h.options)
	return h
}

// speaking makes the source plain read bodies with parse.
func speaking(parse func(providers.Request) ([]providers.Event, error)) func(*ingress.Options) {
	return func(o *ingress.Options) { o.Sources[0].Provider = sender{parse: parse} }
}

// send makes one request of the door, without a network.
func (h *house) send(t *testing.T, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, reader)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.door.Handler().ServeHTTP(w, r)
	return w
}

// serve puts the door on a real listener and returns its address.
func (h *house) serve(t testing.TB) string {
	t.Helper()
	server, err := ingress.Listen(t.Context(), "127.0.0.1:0", h.door.Handler(), h.options.Log)
	require.NoError(t, err)
	run(t, server)
	return server.Addr().String()
}

// run serves until the test ends.
func run(t testing.TB, server *ingress.Server) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		require.NoError(t, server.Shutdown(ctx))
		require.NoError(t, <-served)
	})
}
