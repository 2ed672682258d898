package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"
)

// sample is a look at a run under way.
type sample struct {
	Seconds   float64 `json:"s"`
	Delivered int     `json:"delivered"`
	RSS       float64 `json:"rss_mb"`
	Heap      float64 `json:"heap_mb"`
	Waiting   float64 `json:"rings_waiting"`
}

// watch looks at Holdfast's process from time to time, and at what the run costs.
type watch struct {
	scale     *scale
	daemon    *daemon
	database  int // process ID of PostgreSQL; 0: there is none here
	delivered func() int
	began     time.Time
	before    metrics
	used      [2]process // of Temporal and PostgreSQL, before
	stop      chan struct{}
	stopped   sync.WaitGroup

	mu      sync.Mutex
	samples []sample
}

func (s *scale) watch(ctx context.Context, d *daemon, delivered func() int) (*watch, error) {
	w := &watch{scale: s, daemon: d, database: postmaster(ctx, s.inbox), delivered: delivered, stop: make(chan struct{})}
	var err error
	if w.before, err = d.metrics(ctx); err != nil {
		return nil, err
	}
	w.used = w.others()
	w.began = time.Now()
	w.stopped.Go(func() { w.run(ctx) })
	return w, nil
}

func (w *watch) others() [2]process {
	return [2]process{below(w.scale.site.temporal.guard.Process.Pid), below(w.database)}
}

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(w.scale.sample)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

func (w *watch) look(ctx context.Context) {
	m, err := w.daemon.metrics(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		return // a busy machine: the last look will tell if there is more to it
	}
	one := sample{
		Seconds: round(time.Since(w.began).Seconds()), Delivered: w.delivered(),
		RSS: round(m.rss()), Heap: round(m.heap()), Waiting: m.waiting(),
	}
	w.samples = append(w.samples, one)
	fmt.Fprintf(w.scale.tell, "%6.0f s  %9d delivered  %6.1f MB resident  %6.1f MB heap  %6.0f rings wait\n",
		one.Seconds, one.Delivered, one.RSS, one.Heap, one.Waiting)
}

// end looks a last time and returns what the run was and has cost.
func (w *watch) end(ctx context.Context) (*drain, error) {
	took := time.Since(w.began)
	close(w.stop)
	w.stopped.Wait()
	w.look(ctx)
	after, err := w.daemon.metrics(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at holdfast: %w", err)
	}
	used, events := w.others(), w.delivered()
	d := &drain{
		Events: events, Seconds: round(took.Seconds()), PerSecond: round(float64(events) / took.Seconds()),
		CPU:   costs(after.cpu()-w.before.cpu(), used[0].cpu-w.used[0].cpu, used[1].cpu-w.used[1].cpu, events),
		Rings: after.by("holdfast_rings_total"), Relieved: after.by("holdfast_relief_drains_total"), Swept: after.swept(),
		TemporalRSS: round(used[0].rss), Samples: w.samples,
		RSS:  memoryOf(w.samples, func(s sample) float64 { return s.RSS }),
		Heap: memoryOf(w.samples, func(s sample) float64 { return s.Heap }),
	}
	for _, s := range w.samples {
		d.MostWaiting = max(d.MostWaiting, s.Waiting)
	}
	return d, nil
}

// memory tells whether a process grew: the middle of what it had in the first quarter
// of the looks, and in the last.
type memory struct {
	First float64 `json:"first_quarter"`
	Last  float64 `json:"last_quarter"`
	Max   float64 `json:"max"`
}

func memoryOf(samples []sample, of func(sample) float64) memory {
	var all []float64
	for _, s := range samples {
		all = append(all, of(s))
	}
	if len(all) == 0 {
		return memory{}
	}
	quarter := (len(all) + 3) / 4
	return memory{First: median(all[:quarter]), Last: median(all[len(all)-quarter:]), Max: slices.Max(all)}
}

// median is 0 of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// round leaves as many digits as a measurement has.
func round(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return math.Round(x*100) / 100
}

// write writes a memory for people.
func (m memory) write(w io.Writer, name string) {
	fmt.Fprintf(w, "  %s: %.0f MB in the first quarter, %.0f MB in the last, %.0f MB at most\n", name, m.First, m.Last, m.Max)
}

// endAfter is end, unless the run failed.
func (w *watch) endAfter(ctx context.Context, failed error) (*drain, error) {
	d, err := w.end(ctx)
	if failed != nil {
		return nil, failed
	}
	return d, err
}
