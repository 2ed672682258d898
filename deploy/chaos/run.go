package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/chaos/destination"
	"github.com/holdfast-project/holdfast/deploy/chaos/faults"
	"github.com/holdfast-project/holdfast/deploy/chaos/links"
	"github.com/holdfast-project/holdfast/deploy/chaos/load"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/ingress"
)

const (
	ingresses = 2
	workers   = 2

	// duplicateShare and refuseShare are of all events.
	duplicateShare = 0.05
	refuseShare    = 0.01
	// handling is the longest that the destination works on an event.
	handling = 8 * time.Millisecond
	// Some events take longer than that, so that there is always one in flight.
	slowShare    = 0.05
	slowHandling = time.Second

	// catchUp bounds how long the fleet may take, once the load has ended, to accept
	// and to deliver what was sent. It is for a slow machine, not for Holdfast.
	catchUp = 5 * time.Minute
)

// chaos runs a fleet, a load and the faults, and judges.
func chaos(ctx context.Context, s setup) (verdict.Figures, error) {
	r, err := newRig(ctx, s, nil)
	if err != nil {
		return verdict.Figures{}, err
	}
	record, err := r.run(ctx)
	if err = errors.Join(err, r.close()); err != nil {
		return verdict.Figures{}, err
	}
	return verdict.Judge(record), nil
}

// rig is all that a run needs.
type rig struct {
	setup
	links       *links.Links
	destination *destination.Destination
	fleet       *fleet.Fleet
	load        *load.Load
}

// newRig starts everything but the load. forget is the destination's.
func newRig(ctx context.Context, s setup, forget func(verdict.Delivery) bool) (*rig, error) {
	r := &rig{setup: s, links: links.New()}
	var err error
	if r.destination, err = destination.Start(ctx, destination.Options{
		Refuse: refuseShare, Work: handling, Slow: slowShare, SlowWork: slowHandling, Seed: s.seed, Log: s.log, Forget: forget,
	}); err != nil {
		return nil, err
	}
	target, err := r.links.Through("worker", "destination", r.destination.Address())
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	secrets, err := fleet.ThrowAwaySecrets(s.dir)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	if r.fleet, err = fleet.Start(ctx, fleet.Options{
		Root: s.root, Programs: s.programs, Dir: s.dir, Ingresses: ingresses, Workers: workers, Secrets: secrets,
		Routes: func(worker string) string {
			return fmt.Sprintf("*=http://%s/hooks?%s=%s", target, destination.WorkerParameter, worker)
		},
		Settings: map[string]string{"HOLDFAST_RELIEF": string(s.relief)},
		// A small log file lets the quota of the inbox be small too.
		InitDB: []string{"--wal-segsize=1"}, Through: r.links.Through, Log: s.log,
	}); err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.load = load.New(load.Options{
		URL: r.fleet.URL + "/webhooks/redo", Secret: secrets[ingress.SourceEnv("redo")+"_SECRET"],
		Subjects: s.subjects, Rate: s.rate, Duplicates: duplicateShare, Seed: s.seed, Log: s.log,
	})
	return r, nil
}

func (r *rig) close() error {
	var problems []error
	if r.fleet != nil {
		problems = append(problems, r.fleet.Close())
	}
	r.links.Close()
	return errors.Join(append(problems, r.destination.Close())...)
}

// run loads the fleet while the planned faults happen, waits until everything has
// been handled, and returns the record.
func (r *rig) run(ctx context.Context) (verdict.Record, error) {
	plan, times := r.plan()
	record := verdict.Record{Seed: r.seed, Subjects: r.subjects, Began: time.Now()}
	loading, stopLoad := context.WithCancel(ctx)
	defer stopLoad()
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		r.load.Run(loading, catchUp)
	}()
	var err error
	record.Faults, err = r.disturb(ctx, plan, times, record.Began)
	if err == nil {
		wait(ctx, time.Until(record.Began.Add(r.setup.load)))
	}
	record.Ended = time.Now()
	r.log.Info("the load ends", slog.Int("accepted", r.load.Accepted()), slog.Int("delivered", r.destination.Done()))
	stopLoad()
	<-loaded
	if err = errors.Join(err, ctx.Err()); err != nil {
		return record, err
	}
	record.Unsettled = r.settle(ctx)
	r.tellWays(ctx)
	record.Sendings, record.Deliveries, record.Exits = r.load.Sendings(), r.destination.Deliveries(), r.exits()
	return record, nil
}

func (r *rig) plan() ([]faults.Planned, faults.Times) {
	chance := rand.New(rand.NewPCG(r.seed, 3))
	if r.short {
		return faults.Short(chance), faults.ShortTimes
	}
	return faults.Long(chance, r.faults), faults.LongTimes
}

// disturb makes the faults happen, one after the other, each in its span of time or,
// if recovery takes longer, after it.
func (r *rig) disturb(ctx context.Context, plan []faults.Planned, times faults.Times, began time.Time) ([]verdict.Fault, error) {
	site := &faults.Site{
		Fleet: r.fleet, Links: r.links, Log: r.log, Accepted: r.load.LastAccepted, Delivered: r.destination.LastBegun,
	}
	var done []verdict.Fault
	for i, p := range plan {
		wait(ctx, time.Until(began.Add(time.Duration(i)*times.Every)))
		wait(ctx, p.Quiet)
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		f, err := site.Do(ctx, p)
		if err != nil {
			return done, err
		}
		done = append(done, f)
	}
	return done, nil
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
