package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-project/holdfast/bench"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/inbox"
)

const historySource = "history"

// turn is one load on one of the two inboxes.
type turn struct {
	Accepts    float64 `json:"accepts_per_s"`
	AcceptP99  float64 `json:"accept_p99_ms"`
	Drains     float64 `json:"drains_per_s"` // of the warm load
	AcceptCost cost    `json:"accept_cpu_s_per_1000"`
	DrainCost  cost    `json:"drain_cpu_s_per_1000"`
	// Start is how long the process took to be ready.
	Start float64 `json:"start_s"`
}

// turns are all of one inbox, and their medians.
type turns struct {
	Median turn   `json:"median"`
	Turns  []turn `json:"turns"`
}

// history loads a full and an empty inbox in turns, beginning with the other one each
// time: what grows or warms up meanwhile is no side's advantage.
func (s *scale) history(ctx context.Context, r *result) error {
	began := time.Now()
	for _, url := range []string{s.inbox, s.against} {
		if err := withStore(ctx, url, func(inbox.Inbox) error { return nil }); err != nil {
			return err
		}
	}
	if err := fillSettled(ctx, s.inbox, r.Size, s.tell); err != nil {
		return err
	}
	r.FillSeconds = round(time.Since(began).Seconds())
	r.Full, r.Empty = &turns{}, &turns{}
	for round := range s.rounds {
		order := []struct {
			url string
			of  *turns
		}{{s.inbox, r.Full}, {s.against, r.Empty}}
		if round%2 == 0 {
			order[0], order[1] = order[1], order[0]
		}
		for _, side := range order {
			one, err := s.turn(ctx, r, side.url)
			if err != nil {
				return err
			}
			side.of.Turns = append(side.of.Turns, *one)
			fmt.Fprintf(s.tell, "round %d, %s: %s\n", round+1, map[bool]string{true: "full", false: "empty"}[side.of == r.Full], one)
		}
	}
	r.Full.settle()
	r.Empty.settle()
	return nil
}

// turn accepts a load over many subjects, and drains another over fewer.
func (s *scale) turn(ctx context.Context, r *result, url string) (*turn, error) {
	port, err := fleet.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	d, err := s.daemon(ctx, url, []string{historySource}, []route{{historySource, local(port)}})
	if err != nil {
		return nil, err
	}
	one := &turn{Start: round(time.Since(began).Seconds())}
	accept := bench.Workload{Name: "accept", Events: s.load, Subjects: s.load / 10, Connections: connections, Size: historySize}
	warm := bench.Workload{Name: "warm", Events: s.load / 2, Subjects: max(s.load/100, 1), Connections: connections, Size: historySize}
	err = s.measure(ctx, r, d, d.load(historySource, local(port), accept), func(b *bench.Report, c cost) {
		one.Accepts, one.AcceptP99, one.AcceptCost = round(b.Accepted.PerSecond), round(b.Accepted.P99), c
	})
	if err == nil {
		err = s.measure(ctx, r, d, d.load(historySource, local(port), warm), func(b *bench.Report, c cost) {
			one.Drains, one.DrainCost = round(b.Delivered.PerSecond), c
		})
	}
	return one, errors.Join(err, d.stop())
}

// historySize is what webhooks often have.
const historySize = 1024

// measure sends a load and tells what came of it and what it cost.
func (s *scale) measure(ctx context.Context, r *result, d *daemon, o bench.Options, note func(*bench.Report, cost)) error {
	before, err := d.metrics(ctx)
	if err != nil {
		return err
	}
	database := postmaster(ctx, s.inbox)
	temporal := s.site.temporal.guard.Process.Pid
	used := [2]process{below(temporal), below(database)}
	report, err := s.send(ctx, r, o, nil)
	if err != nil {
		return err
	}
	after, err := d.metrics(ctx)
	if err != nil {
		return err
	}
	note(report, costs(after.cpu()-before.cpu(), below(temporal).cpu-used[0].cpu, below(database).cpu-used[1].cpu, report.Sent))
	return nil
}

// settle computes the medians.
func (t *turns) settle() {
	of := func(value func(turn) float64) float64 {
		var all []float64
		for _, one := range t.Turns {
			all = append(all, value(one))
		}
		return round(median(all))
	}
	costOf := func(value func(turn) cost) cost {
		return cost{
			of(func(o turn) float64 { return value(o).Holdfast }), of(func(o turn) float64 { return value(o).Temporal }),
			of(func(o turn) float64 { return value(o).Database }),
		}
	}
	t.Median = turn{
		Accepts: of(func(o turn) float64 { return o.Accepts }), AcceptP99: of(func(o turn) float64 { return o.AcceptP99 }),
		Drains: of(func(o turn) float64 { return o.Drains }), Start: of(func(o turn) float64 { return o.Start }),
		AcceptCost: costOf(func(o turn) cost { return o.AcceptCost }), DrainCost: costOf(func(o turn) cost { return o.DrainCost }),
	}
}

// String is a turn for people.
func (t *turn) String() string {
	return fmt.Sprintf("accepts %.0f/s (p99 %.1f ms), drains %.0f/s, CPU s per 1000: holdfast %.2f and %.2f, database %.2f and %.2f; ready after %.1f s",
		t.Accepts, t.AcceptP99, t.Drains, t.AcceptCost.Holdfast, t.DrainCost.Holdfast, t.AcceptCost.Database, t.DrainCost.Database, t.Start)
}

// write compares a full inbox with an empty one.
func (t *turns) write(w io.Writer, empty *turns) {
	full, none := t.Median, empty.Median
	fmt.Fprintf(w, "  full:  %s\n  empty: %s\n", &full, &none)
	fmt.Fprintf(w, "  full to empty: accepts %.2f, drains %.2f, holdfast's CPU %.2f accepting and %.2f draining\n",
		full.Accepts/none.Accepts, full.Drains/none.Drains, full.AcceptCost.Holdfast/none.AcceptCost.Holdfast, full.DrainCost.Holdfast/none.DrainCost.Holdfast)
}
