package activities

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"
)

const (
	// gatePatience is how long a drain waits for a free place at a destination: a
	// few deliveries of a healthy one, too short to gather drains at a hanging one.
	gatePatience = 200 * time.Millisecond

	// breakerFailures first attempts in a row without any answer open a destination's
	// breaker; an answer, even a 500, ends the row. An event has one first attempt,
	// so one poisoned event opens nothing.
	breakerFailures = 8
	// breakerOpen is how long a drain then attempts nothing new there.
	breakerOpen = 5 * time.Second
)

// gate limits what one worker does to each destination, so that one that hangs
// takes no place from another.
type gate struct {
	concurrency int64
	now         func() time.Time

	mu    sync.Mutex
	doors map[string]*door
}

type door struct {
	places  *semaphore.Weighted
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	crowd   crowd
}

func newGate(concurrency int) *gate {
	return &gate{concurrency: int64(concurrency), now: time.Now, doors: map[string]*door{}}
}

// errBusy and errShut say why a destination cannot be tried now. Neither is an
// attempt; nor is a place that was taken and left with errNoAttempt.
var (
	errNoAttempt = errors.New("no attempt was made")

	errBusy = errors.New("has as many deliveries in flight as HOLDFAST_DESTINATION_CONCURRENCY allows")
	errShut = errors.New("did not answer lately: waiting before new events are tried")
)

// enter takes a place at a destination. done must be called with the attempt's
// error, or errNoAttempt. The breaker is for first attempts alone: who retries an
// event waits long enough by itself, and one event that makes its destination hang
// again and again must not speak for the others.
func (g *gate) enter(ctx context.Context, key string, retries bool) (done func(error), err error) {
	d := g.door(key)
	report := func(error) {}
	if !retries {
		if report, err = d.breaker.Allow(); err != nil {
			return nil, errShut
		}
	}
	wait, cancel := context.WithTimeout(ctx, gatePatience)
	defer cancel()
	if d.places.Acquire(wait, 1) != nil {
		report(errNoAttempt)
		return nil, errBusy
	}
	return func(attempt error) {
		d.places.Release(1)
		report(attempt)
		if !errors.Is(attempt, errNoAttempt) && !unreachable(attempt) {
			d.crowd.served(g.now())
		}
	}, nil
}

// comeback tells who was turned away how long to wait at least.
func (g *gate) comeback(key string) time.Duration { return g.door(key).crowd.book(g.now()) }

func (g *gate) door(key string) *door {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.doors[key]
	if d == nil {
		d = &door{
			places: semaphore.NewWeighted(g.concurrency),
			breaker: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
				Name:         key,
				Timeout:      breakerOpen,
				ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFailures },
				IsExcluded:   func(err error) bool { return errors.Is(err, errNoAttempt) },
				IsSuccessful: func(err error) bool { return !unreachable(err) },
			}),
		}
		g.doors[key] = d
	}
	return d
}
