package doorbell

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/inbox"
)

const (
	// firstSweep is soon, so that a restart repairs what the crash before it left,
	// but lets the workers and Temporal come up.
	firstSweep = time.Second

	// A page of rings each pause makes 50 a second: a Temporal on two busy cores
	// starts about a hundred runs a second, and fresh rings are to have half of it.
	ringPage  = 50
	ringPause = time.Second

	// A batch of 500 deletions holds a single writer for some milliseconds; with
	// the pause appends have nine tenths of the time.
	pruneBatch = 500
	prunePause = 100 * time.Millisecond
)

// Bell wakes subjects without blocking. *Ringer is one.
//
// The relief lane has no say in it: whom it takes it finds by itself, and whom nobody
// took is nearly always one that it may not take, because its first event has failed or
// its hold is over.
type Bell interface {
	Start(subject string)
}

// SweeperOptions are what a Sweeper needs.
type SweeperOptions struct {
	Config   Config
	Inbox    inbox.Keeper
	Bell     Bell
	Log      *slog.Logger
	Registry prometheus.Registerer

	// Now is the clock that the inbox's times are compared with; nil: time.Now.
	Now func() time.Time
}

// Sweeper rings the subjects that wait without having been rung, after a crash or
// because a run was terminated, deletes what is older than the retention, and
// counts. Of a fleet, one process sweeps.
type Sweeper struct {
	SweeperOptions
	metrics *sweeperMetrics
}

// NewSweeper makes a Sweeper. It panics if its metrics are registered already.
func NewSweeper(o SweeperOptions) *Sweeper {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sweeper{SweeperOptions: o, metrics: newSweeperMetrics(o.Registry)}
}

// Run sweeps until ctx ends. What goes wrong is logged and done again in the next
// sweep.
func (s *Sweeper) Run(ctx context.Context) {
	// Nobody alive can have rung what waits since before the start, so the first
	// sweep does not grant it an interval.
	before := s.Now()
	for wait := firstSweep; pause(ctx, wait); wait = s.Config.SweepInterval {
		if err := s.sweep(ctx, before); err != nil && ctx.Err() == nil {
			s.metrics.failures.Inc()
			s.Log.Error("sweep cut short", slog.Any("error", err))
		}
		before = time.Time{}
	}
}

// sweep does everything once. A zero before means an interval ago.
func (s *Sweeper) sweep(ctx context.Context, before time.Time) error {
	lead, err := s.Inbox.Lead(ctx)
	if err != nil {
		s.metrics.hide()
		return fmt.Errorf("ask for the lead: %w", err)
	}
	if !lead {
		s.metrics.hide()
		return nil
	}
	counts, err := s.Inbox.Count(ctx)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	s.metrics.show(counts)
	if before.IsZero() {
		before = s.Now().Add(-s.Config.SweepInterval)
	}
	if lead, err = s.ring(ctx, before); err != nil {
		return fmt.Errorf("ring what waits: %w", err)
	}
	if !lead {
		s.metrics.hide()
		return nil
	}
	if err := s.prune(ctx); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

// ring rings page by page. The inbox notes each page as rung, so none comes twice. A
// backlog of many thousands takes longer than the lead lasts unless it is asked for
// again: each process of the fleet in turn would join in, at the full rate. It tells
// whether this process still leads.
func (s *Sweeper) ring(ctx context.Context, before time.Time) (lead bool, err error) {
	for {
		subjects, err := s.Inbox.Unrung(ctx, s.Now(), before, ringPage)
		if err != nil {
			return true, err
		}
		for _, subject := range subjects {
			s.Bell.Start(subject)
		}
		s.metrics.swept.Add(float64(len(subjects)))
		if len(subjects) < ringPage || !pause(ctx, ringPause) {
			return true, nil
		}
		if lead, err := s.Inbox.Lead(ctx); err != nil || !lead {
			return lead, err
		}
	}
}

// prune deletes for at most an interval, so that a mountain of old events does not
// keep the sweeper from ringing.
func (s *Sweeper) prune(ctx context.Context) error {
	end := time.Now().Add(s.Config.SweepInterval)
	for {
		pruned, err := s.Inbox.Prune(ctx, s.Now().Add(-s.Config.Retention), pruneBatch)
		if err != nil {
			return err
		}
		s.metrics.pruned.Add(float64(pruned))
		if pruned == 0 || !time.Now().Before(end) || !pause(ctx, prunePause) {
			return nil
		}
	}
}

// pause waits, and returns false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
