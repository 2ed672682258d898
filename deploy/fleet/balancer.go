package fleet

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// healthLook is how often the balancer asks an upstream whether it is ready.
const healthLook = 500 * time.Millisecond

// Upstream is an ingress behind the balancer.
type Upstream struct {
	URL   string
	Ready func(ctx context.Context) error
}

// Balancer is a small reverse proxy before the ingresses. It asks each of them
// whether it is ready, and gives requests to the ready ones in turn. It tries another
// only when the first could not be connected to: a request of which a byte may have
// arrived is the sender's to repeat. When no upstream is left, the answer is a 503
// with Retry-After.
type Balancer struct {
	upstreams []*upstream
	turn      atomic.Uint64
	transport *http.Transport
	server    *http.Server
	log       *slog.Logger
	stop      context.CancelFunc
	running   sync.WaitGroup
}

type upstream struct {
	url   *url.URL
	ready atomic.Bool
	check func(ctx context.Context) error
}

// errNoUpstream is the balancer's own: nobody is ready.
var errNoUpstream = errors.New("no ingress is ready")

// StartBalancer listens on an address.
func StartBalancer(ctx context.Context, listen string, upstreams []Upstream, logger *slog.Logger) (*Balancer, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, err
	}
	b := &Balancer{
		log: logger,
		transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext, MaxIdleConnsPerHost: 100, IdleConnTimeout: 30 * time.Second,
		},
	}
	for _, u := range upstreams {
		parsed, err := url.Parse(u.URL)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		b.upstreams = append(b.upstreams, &upstream{url: parsed, check: u.Ready})
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host; r.SetXForwarded() },
		// An answer that the sender no longer waits for is none of our business.
		ErrorLog: log.New(io.Discard, "", 0), Transport: b, ErrorHandler: b.refuse,
	}
	b.server = &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	var looking context.Context
	looking, b.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, u := range b.upstreams {
		u.look(looking)
		b.running.Go(func() { u.watch(looking) })
	}
	b.running.Go(func() { _ = b.server.Serve(l) })
	return b, nil
}

// watch asks until ctx ends.
func (u *upstream) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(healthLook):
			u.look(ctx)
		}
	}
}

func (u *upstream) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	u.ready.Store(u.check(ctx) == nil)
}

// RoundTrip sends a request to the next upstream that is ready and can be reached.
func (b *Balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	err := errNoUpstream
	first := b.turn.Add(1)
	if r.Body != nil {
		// An attempt that does not get as far as sending closes the body all the same.
		// The server closes it in the end.
		r.Body = io.NopCloser(r.Body)
	}
	for i := range b.upstreams {
		u := b.upstreams[(first+uint64(i))%uint64(len(b.upstreams))]
		if !u.ready.Load() {
			continue
		}
		r.URL.Scheme, r.URL.Host = u.url.Scheme, u.url.Host
		var answer *http.Response
		if answer, err = b.transport.RoundTrip(r); err == nil {
			return answer, nil
		}
		var failed *net.OpError
		if !errors.As(err, &failed) || failed.Op != "dial" {
			return nil, err
		}
	}
	return nil, err
}

// refuse answers for an upstream that did not. It is a 503 in every case, because
// some senders give an event up at any other status.
func (b *Balancer) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil && !errors.Is(err, errNoUpstream) {
		b.log.Info("an ingress did not answer", slog.Any("error", err))
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "no ingress answers: try again", http.StatusServiceUnavailable)
}

// Close cuts off what is running.
func (b *Balancer) Close() error {
	b.stop()
	err := b.server.Close()
	b.running.Wait()
	b.transport.CloseIdleConnections()
	return err
}
