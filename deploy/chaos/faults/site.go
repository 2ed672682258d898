package faults

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/chaos/links"
	"github.com/holdfast-project/holdfast/deploy/fleet"
)

// Site is where faults happen.
type Site struct {
	Fleet *fleet.Fleet
	Links *links.Links
	// Accepted and Delivered tell when the last acceptance and the last delivery
	// began: how a recovery is seen.
	Accepted, Delivered func() time.Time
	Log                 *slog.Logger

	builds int
}

// recoveryPatience is how long the fleet may take to accept and to deliver again.
const recoveryPatience = 3 * time.Minute

// Do makes a fault happen, undoes it, and waits for the recovery. An error is ours:
// the fault could not be made, or not undone. A fleet that does not recover is no
// error, but zero times in the fault.
func (s *Site) Do(ctx context.Context, p Planned) (verdict.Fault, error) {
	f, undo, err := s.prepare(p)
	if err != nil {
		return f, err
	}
	f.Begin = time.Now()
	s.Log.Info("fault", slog.String("fault", f.Name), slog.Duration("hold", p.Hold))
	note, err := undo.begin(ctx)
	if err != nil {
		return f, fmt.Errorf("%s: %w", f.Name, err)
	}
	f.Note = note
	select {
	case <-ctx.Done():
	case <-time.After(p.Hold):
	}
	// What is undone counts from here: a process that is started again is not ready yet.
	f.Healed = time.Now()
	if err := undo.end(ctx); err != nil {
		return f, fmt.Errorf("undo %s: %w", f.Name, err)
	}
	if p.Kind == Kill {
		f.Note = fmt.Sprintf("ready after %.1f s", time.Since(f.Healed).Seconds())
	}
	s.recover(ctx, &f)
	s.Log.Info("recovered", slog.String("fault", f.Name),
		slog.Duration("accepted", f.Accepted.Sub(f.Healed)), slog.Duration("delivered", f.Delivered.Sub(f.Healed)))
	return f, nil
}

// recover waits for an acceptance and a delivery that begin after the healing.
func (s *Site) recover(ctx context.Context, f *verdict.Fault) {
	ctx, cancel := context.WithTimeout(ctx, recoveryPatience)
	defer cancel()
	for f.Accepted.IsZero() || f.Delivered.IsZero() {
		if at := s.Accepted(); f.Accepted.IsZero() && at.After(f.Healed) {
			f.Accepted = at
		}
		if at := s.Delivered(); f.Delivered.IsZero() && at.After(f.Healed) {
			f.Delivered = at
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// action is a fault's two ends. begin returns what there is to note.
type action struct {
	begin func(ctx context.Context) (note string, err error)
	end   func(ctx context.Context) error
}

// prepare names a fault, and says whose events in flight it may repeat.
func (s *Site) prepare(p Planned) (verdict.Fault, action, error) {
	switch p.Kind {
	case Kill, Freeze:
		return s.process(p)
	case Cut, Refuse, Slow:
		return s.link(p)
	case Full:
		quota := &quota{server: s.Fleet.Postgres}
		return verdict.Fault{Name: "disk quota of the inbox", AllWorkers: true}, action{quota.begin, quota.end}, nil
	case Deploy:
		s.builds++
		build := fmt.Sprintf("chaos-%d", s.builds+1)
		// A deployment repeats nothing: it explains no repeat.
		return verdict.Fault{Name: "deploy " + build}, action{
			begin: func(ctx context.Context) (string, error) { return "", s.Fleet.Deploy(ctx, build) },
			end:   func(context.Context) error { return nil },
		}, nil
	default:
		return verdict.Fault{}, action{}, fmt.Errorf("there is no fault %q", p.Kind)
	}
}

// process is a kill or a freeze.
func (s *Site) process(p Planned) (verdict.Fault, action, error) {
	m, err := s.member(p)
	if err != nil {
		return verdict.Fault{}, action{}, err
	}
	f := verdict.Fault{Name: string(p.Kind) + " " + m.Name()}
	switch p.Role {
	case "worker":
		f.Worker, f.Frozen = m.Name(), p.Kind == Freeze
	case "temporal", "postgres":
		f.AllWorkers = true
	}
	if p.Kind == Freeze {
		return f, action{
			begin: func(context.Context) (string, error) { return "", m.Freeze() },
			end:   func(context.Context) error { return m.Thaw() },
		}, nil
	}
	return f, action{begin: func(context.Context) (string, error) { return "", m.Kill() }, end: m.Start}, nil
}

func (s *Site) member(p Planned) (fleet.Member, error) {
	pick := func(all []*fleet.Holdfast) fleet.Member { return all[p.Pick%len(all)] }
	switch p.Role {
	case "ingress":
		return pick(s.Fleet.Ingresses), nil
	case "worker":
		return pick(s.Fleet.Workers()), nil
	case "temporal":
		return s.Fleet.Temporal, nil
	case "postgres":
		return s.Fleet.Postgres, nil
	default:
		return nil, fmt.Errorf("there is no member %q", p.Role)
	}
}
