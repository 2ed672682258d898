package destination

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/chaos/load"
)

// Options tune a destination.
type Options struct {
	// Refuse is the share of events whose first attempt is answered with a 503.
	Refuse float64
	// Work is the longest that most events take, SlowWork the longest of the share of
	// events that are Slow: of those some are in hand whenever something happens.
	Work     time.Duration
	Slow     float64
	SlowWork time.Duration
	Seed     uint64
	Log      *slog.Logger
	// Forget, when set, chooses deliveries that leave no trace: for a test of the
	// verdict itself.
	Forget func(verdict.Delivery) bool
}

// WorkerParameter is the query parameter of the destination's URL that tells which
// worker sends. It is no part of a handler's name.
const WorkerParameter = "worker"

// Destination keeps what it is given. Its methods are safe for concurrent use.
type Destination struct {
	options Options
	server  *http.Server
	address string

	mu         sync.Mutex
	rand       *rand.Rand
	deliveries []*verdict.Delivery
	done       map[string]int // how many events of each subject are done, in order
	doneCount  int
	last       time.Time // of the delivery that began last
}

// Start listens on loopback.
func Start(ctx context.Context, options Options) (*Destination, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &Destination{
		options: options, address: l.Addr().String(), done: map[string]int{}, rand: rand.New(rand.NewPCG(options.Seed, 2)),
	}
	d.server = &http.Server{Handler: http.HandlerFunc(d.serve), ReadHeaderTimeout: 30 * time.Second}
	go func() { _ = d.server.Serve(l) }()
	return d, nil
}

// Address is where it listens.
func (d *Destination) Address() string { return d.address }

// Close cuts off who is still sending.
func (d *Destination) Close() error { return d.server.Close() }

func (d *Destination) serve(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return // its sender died while it sent: nothing was delivered
	}
	var body load.Body
	if json.Unmarshal(content, &body) != nil {
		d.options.Log.Error("a delivery of something that nobody sent")
	}
	one, work := d.begin(r, body, load.Digest(content))
	// The work is done to its end, whether or not its sender lives.
	<-time.After(work)
	w.WriteHeader(d.end(one))
}

// begin notes a delivery and chooses how long it takes.
func (d *Destination) begin(r *http.Request, body load.Body, digest string) (*verdict.Delivery, time.Duration) {
	h := r.Header
	one := &verdict.Delivery{
		ID:     verdict.ID{Subject: body.Return.ID, Counter: body.Counter},
		Digest: digest, Key: h.Get(activities.HeaderIdempotencyKey), Worker: r.URL.Query().Get(WorkerParameter), Begun: time.Now(),
	}
	one.Sequence, _ = strconv.ParseInt(h.Get(activities.HeaderSequence), 10, 64)
	one.Attempt, _ = strconv.Atoi(h.Get(activities.HeaderAttempt))
	d.mu.Lock()
	defer d.mu.Unlock()
	if one.Counter > d.done[one.Subject] {
		d.options.Log.Error("out of order", slog.String("subject", one.Subject), slog.Int("event", one.Counter),
			slog.Int("expected", d.done[one.Subject]), slog.String("worker", one.Worker))
	}
	one.Status = http.StatusOK
	if one.Attempt == 1 && d.rand.Float64() < d.options.Refuse {
		one.Status = http.StatusServiceUnavailable
	}
	d.last = one.Begun
	if d.options.Forget == nil || !d.options.Forget(*one) {
		d.deliveries = append(d.deliveries, one)
	}
	longest := d.options.Work
	if d.rand.Float64() < d.options.Slow {
		longest = d.options.SlowWork
	}
	return one, time.Duration(d.rand.Int64N(int64(longest) + 1))
}

// end notes when a delivery was answered, and returns how.
func (d *Destination) end(one *verdict.Delivery) (status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one.Ended = time.Now()
	if one.Status == http.StatusOK && one.Counter == d.done[one.Subject] {
		d.done[one.Subject]++
		d.doneCount++
	}
	return one.Status
}

// Deliveries are those that were answered, in the order in which they began.
func (d *Destination) Deliveries() []verdict.Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]verdict.Delivery, 0, len(d.deliveries))
	for _, one := range d.deliveries {
		if !one.Ended.IsZero() {
			all = append(all, *one)
		}
	}
	return all
}

// Done counts the events that are done, each once, up to the first of its subject
// that is not.
func (d *Destination) Done() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.doneCount
}

// LastBegun is when the last delivery began.
func (d *Destination) LastBegun() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}
