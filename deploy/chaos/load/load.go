package load

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/holdfast-project/holdfast/bench/sending"
	"github.com/holdfast-project/holdfast/bench/verdict"
)

// Options say what a load is.
type Options struct {
	URL      string // of a Redo source
	Secret   string
	Subjects int
	// Rate is how many events begin per second, as long as enough subjects are not
	// waiting for an answer.
	Rate float64
	// Duplicates is the share of events that are sent a second time, from 0 to 1.
	Duplicates float64
	Seed       uint64
	Log        *slog.Logger
}

// Load is a load and what is known of its events. Its methods are safe for
// concurrent use.
type Load struct {
	options Options
	sender  *sending.Sender
	began   time.Time
	work    sync.WaitGroup

	mu    sync.Mutex
	rand  *rand.Rand
	idle  []string       // subjects that wait for nothing
	next  map[string]int // each subject's next event
	sent  map[verdict.ID]*verdict.Sending
	order []verdict.ID

	last time.Time // of the 2xx that began last
}

// New makes a load that has not begun.
func New(options Options) *Load {
	l := &Load{
		options: options, began: time.Now(), next: map[string]int{}, sent: map[verdict.ID]*verdict.Sending{},
		rand: rand.New(rand.NewPCG(options.Seed, 1)),
		// As many connections as subjects: no sender waits for another.
		sender: sending.New(options.Subjects, requestPatience),
	}
	for n := range options.Subjects {
		l.idle = append(l.idle, fmt.Sprintf("s%04d", n))
	}
	return l
}

// Run begins events until ctx ends. Then those that were sent are insisted on until
// all are accepted, or until patience is over.
func (l *Load) Run(ctx context.Context, patience time.Duration) {
	insisting, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	tick := time.NewTicker(time.Duration(float64(time.Second) / l.options.Rate))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			l.begin(ctx, insisting)
		case <-ctx.Done():
		}
	}
	defer time.AfterFunc(patience, giveUp).Stop()
	l.work.Wait()
	l.sender.Close()
}

// begin sends the next event of a subject that is not waiting, if there is one.
func (l *Load) begin(ctx, insisting context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.idle) == 0 {
		return
	}
	i := l.rand.IntN(len(l.idle))
	subject := l.idle[i]
	l.idle[i] = l.idle[len(l.idle)-1]
	l.idle = l.idle[:len(l.idle)-1]
	id := verdict.ID{Subject: subject, Counter: l.next[subject]}
	l.next[subject]++
	e := newEvent(id, l.began, l.rand)
	l.sent[id] = &verdict.Sending{ID: id, Digest: e.digest, First: time.Now()}
	l.order = append(l.order, id)

	again := l.rand.Float64() < l.options.Duplicates
	var wait time.Duration // half of the duplicates are sent at once
	if l.rand.IntN(2) == 0 {
		wait = time.Duration(l.rand.Int64N(int64(maxDuplicateWait)))
	}
	l.work.Go(func() {
		l.insist(insisting, e)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.idle = append(l.idle, subject)
	})
	if again {
		l.sent[id].Duplicates++
		l.work.Go(func() {
			select {
			case <-ctx.Done(): // what is left is sent at the end
			case <-time.After(wait):
			}
			l.insist(insisting, e)
		})
	}
}

// Sendings is what became of the events so far, in the order of their first request.
func (l *Load) Sendings() []verdict.Sending {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]verdict.Sending, 0, len(l.order))
	for _, id := range l.order {
		s := *l.sent[id]
		s.Answers = append([]verdict.Answer(nil), s.Answers...)
		all = append(all, s)
	}
	return all
}

// Accepted counts the accepted events.
func (l *Load) Accepted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, s := range l.sent {
		if len(s.Answers) > 0 {
			n++
		}
	}
	return n
}

// LastAccepted is when the request began that began last of those that were
// answered with a 2xx.
func (l *Load) LastAccepted() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
