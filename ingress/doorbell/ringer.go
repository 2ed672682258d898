package doorbell

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// DefaultCapacity is how many subjects may wait at once: some 20 MB when all
	// IDs have their greatest length. No source may have more of it than is left for
	// the others.
	DefaultCapacity = 65_536
	// DefaultCallers is how many rings are under way at once.
	DefaultCallers = 16

	callTimeout  = 5 * time.Second // the SDK itself tries again within it
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	logInterval  = 30 * time.Second // between two lines about a Temporal that is away
)

// Options are what a Ringer needs.
type Options struct {
	Temporal Starter
	Log      *slog.Logger
	Registry prometheus.Registerer

	TaskQueue string // empty: workflows.DefaultTaskQueue
	Capacity  int    // zero: DefaultCapacity
	Callers   int    // zero: DefaultCallers

	// Eager is set where a worker has the same client: rings start runs through it, and
	// signal those that are there. Nil: every ring signals, and starts with that. It
	// does not suit versioned workers, whose version the server would not choose, nor
	// runs that linger, which are mostly there.
	Eager EagerStarter

	// Crowds tells whether more webhooks arrive at this process than it acknowledges at
	// once, and a source sends them. While it does, the source has one call at a time, if it
	// has a flood of rings, and rests after each: what a run costs is taken from the door
	// where a worker shares its process. Nil: never.
	Crowds func(source string) bool

	// Relief is the lane's window, which the workers of this process share; nil: there
	// is no lane. Inbox and Left are needed with it: Left, if not nil, is told of each
	// subject that is left to the lane.
	Relief *relief.Window
	Inbox  Inbox
	Left   func()
}

// Ringer carries rings to Temporal in the background. A subject waits in it once,
// however often it is rung, and is tried again until it is rung or Close is
// called. It is safe for concurrent use.
type Ringer struct {
	temporal  Starter
	eager     EagerStarter
	log       *slog.Logger
	taskQueue string
	capacity  int
	crowds    func(source string) bool
	metrics   *ringerMetrics

	calls  context.Context // ended when Close gives up
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	work    *sync.Cond
	rings   map[string]*ring // all of them, by subject
	counts  map[string]int   // of rings, by source
	shares  shares           // of the callers, that fresh rings have
	fresh   queue            // never tried
	again   queue            // whose wait is over
	left    left             // to the relief lane
	closing bool
	logged  time.Time
}

// ring is a subject that is to be rung.
type ring struct {
	subject string
	since   time.Time // of a fresh ring
	start   bool      // not for the relief lane
	left    bool      // to it
	tell    bool      // with SignalOperate
	calling bool
	first   bool // and the call under way is a fresh ring's
	telling bool // and the call under way does
	repeat  bool // rung while calling: the call may have come before the event
	failed  int  // calls in a row
	timer   *time.Timer
}

// NewRinger starts a Ringer. Close ends it. It panics if its metrics are
// registered already.
func NewRinger(o Options) *Ringer {
	r := &Ringer{
		temporal:  o.Temporal,
		eager:     o.Eager,
		log:       o.Log,
		taskQueue: o.TaskQueue,
		capacity:  o.Capacity,
		crowds:    o.Crowds,
		rings:     map[string]*ring{},
		counts:    map[string]int{},
		left:      left{window: o.Relief, inbox: o.Inbox, told: o.Left, open: map[string]bool{}},
	}
	if r.taskQueue == "" {
		r.taskQueue = workflows.DefaultTaskQueue
	}
	if r.capacity == 0 {
		r.capacity = DefaultCapacity
	}
	if r.crowds == nil {
		r.crowds = func(string) bool { return false }
	}
	callers := o.Callers
	if callers == 0 {
		callers = DefaultCallers
	}
	callers = max(callers, 2)
	r.shares = newShares(callers)
	r.work = sync.NewCond(&r.mu)
	r.calls, r.cancel = context.WithCancel(context.Background())
	r.metrics = newRingerMetrics(o.Registry, func() float64 { return float64(r.Waiting()) })
	for i := range callers {
		// Every second caller takes fresh rings only, so that subjects that keep
		// failing, each until its timeout, never delay the others.
		r.done.Go(func() { r.run(i%2 == 0) })
	}
	if !o.Relief.Off() {
		r.left.ended, r.left.watched = make(chan struct{}), true
		r.done.Go(r.watch)
	}
	return r
}

// Ring wakes a subject, or leaves it to the relief lane while that is open. It never
// blocks. When too many wait, the ring is dropped and counted: the sweeper repeats it.
func (r *Ringer) Ring(subject string) { r.add(ring{subject: subject}) }

// Start is Ring for a subject that is not to be left to the relief lane: its event
// has failed there and belongs to its workflow, or nobody has taken it in time.
func (r *Ringer) Start(subject string) { r.add(ring{subject: subject, start: true}) }

// Tell wakes a subject and has it read its row again, also in the middle of a
// wait. It never blocks; when too many wait it is dropped, counted and logged.
func (r *Ringer) Tell(subject string) {
	if !r.add(ring{subject: subject, start: true, tell: true}) {
		r.log.Warn("subject not told of a change of its row: too many rings wait; it looks by itself before its next event",
			slog.String("subject", subject))
	}
}

// Waiting is how many subjects are still to be rung.
func (r *Ringer) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.rings)
}

func (r *Ringer) add(wanted ring) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if waiting, found := r.rings[wanted.subject]; found {
		waiting.tell = waiting.tell || wanted.tell
		waiting.start = waiting.start || wanted.start
		waiting.repeat = waiting.calling || waiting.left
		if waiting.left && waiting.start {
			r.takeBack(waiting)
		}
		return true
	}
	source := inbox.SourceOf(wanted.subject)
	if r.closing || r.counts[source] >= r.capacity-len(r.rings) {
		r.metrics.rings.WithLabelValues(outcomeDropped).Inc()
		return false
	}
	added := &wanted
	r.rings[added.subject] = added
	r.counts[source]++
	r.enqueue(added)
	return true
}

// enqueue gives a ring to the callers, or to the relief lane.
func (r *Ringer) enqueue(added *ring) {
	added.since = time.Now()
	if r.relieve(added) {
		return
	}
	r.fresh.push(added)
	r.work.Signal() // any caller takes fresh rings
}

func (r *Ringer) forget(subject string) {
	delete(r.rings, subject)
	source := inbox.SourceOf(subject)
	if r.counts[source]--; r.counts[source] == 0 {
		delete(r.counts, source)
	}
}

// backoff doubles with each failure; half of it is left to chance, so that the
// subjects of an outage do not come back all at once.
func backoff(failed int) time.Duration {
	wait := maxBackoff
	if failed < 8 {
		wait = min(firstBackoff<<(failed-1), maxBackoff)
	}
	return wait/2 + rand.N(wait/2)
}

// complain logs at most every logInterval: during an outage every ring fails.
func (r *Ringer) complain(rung *ring, err error) {
	if !r.logged.IsZero() && time.Since(r.logged) < logInterval {
		return
	}
	r.logged = time.Now()
	r.log.Warn("ring delayed: its events are safe in the inbox, and it is tried again",
		slog.String("subject", rung.subject), slog.Int("waiting", len(r.rings)), slog.Any("error", err))
}
