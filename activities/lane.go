package activities

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// lanePlaces are the subjects that the lane drains at once: several times what a
	// destination takes at once by default, so that one that hangs leaves places for
	// the others.
	lanePlaces = 256
	// lanePage is how many subjects the lane takes on at once.
	lanePage = 64
	// laneTimeout ends a drain in the lane that hangs, as the local activity's timeout
	// does a workflow's.
	laneTimeout = time.Minute

	// The lane looks for rung subjects every laneTick while it is open, every laneIdle
	// while it is not, and every laneBroken when the inbox cannot be asked. Told of one,
	// it looks after laneGather: those that come with it share a look.
	laneTick   = 20 * time.Millisecond
	laneIdle   = relief.Patience / 2
	laneBroken = time.Second
	laneGather = 2 * time.Millisecond
)

// Bell starts a subject's workflow. It never blocks.
type Bell interface{ Start(subject string) }

// LaneOptions are what a Lane needs.
type LaneOptions struct {
	Window *relief.Window // shared with the doorbell of this process
	Bell   Bell
	// May tells whether this worker may take work at all; nil: always.
	May func() bool
}

// Lane is the relief lane of a worker: it drains rung subjects whose workflows do not
// start in time, by the same rules as those. A subject that has more to it than events
// to be delivered, one that fails or waits or is held, is left to its workflow.
type Lane struct {
	*Activities
	LaneOptions
	name    string
	count   int64
	places  chan struct{}
	told    chan struct{}
	drains  sync.WaitGroup
	trouble time.Time // when the inbox was last reported as away
}

// NewLane returns the relief lane of these activities. Run runs it.
func NewLane(a *Activities, o LaneOptions) *Lane {
	if o.May == nil {
		o.May = func() bool { return true }
	}
	return &Lane{
		Activities: a, LaneOptions: o, name: uuid.NewString(),
		places: make(chan struct{}, lanePlaces), told: make(chan struct{}, 1),
	}
}

// Tell has the lane look soon. It never blocks.
func (l *Lane) Tell() {
	select {
	case l.told <- struct{}{}:
	default:
	}
}

// Run drains until ctx ends, then stops the activities and waits for the events in hand.
func (l *Lane) Run(ctx context.Context) {
	for wait := laneIdle; l.await(ctx, wait); {
		wait = l.look(ctx)
	}
	l.Stop()
	l.drains.Wait()
}

// await waits for the next look, and returns false if ctx ended.
func (l *Lane) await(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-l.told:
		return pause(ctx, laneGather)
	case <-ctx.Done():
		return false
	}
}

// look takes on subjects that wait too long, and returns when to look again.
func (l *Lane) look(ctx context.Context) time.Duration {
	free := min(cap(l.places)-len(l.places), lanePage)
	if free == 0 || l.stopping.Load() || !l.May() {
		return laneIdle
	}
	now := l.now()
	before := l.Window.Before(now)
	subjects, err := l.store.Rung(ctx, now, before, free)
	if err != nil {
		l.complain(ctx, err)
		return laneBroken
	}
	for _, subject := range subjects {
		l.Window.Waited(subject, before, now)
		l.take(ctx, subject)
	}
	if l.Window.Open(now) {
		return laneTick
	}
	return laneIdle
}

// take begins a drain, unless one of this process is at the subject.
func (l *Lane) take(ctx context.Context, subject string) {
	visit, other := l.visits.begin(subject, true)
	if other != nil {
		return
	}
	l.count++
	run := inbox.ReliefRun(l.name + "/" + strconv.FormatInt(l.count, 10))
	l.places <- struct{}{}
	l.drains.Go(func() {
		defer func() { <-l.places }()
		outcome := l.relieve(context.WithoutCancel(ctx), visit, workflows.DrainInput{Subject: subject, RunID: run})
		l.visits.end(subject)
		l.metrics.relieved.WithLabelValues(string(outcome)).Inc()
		if outcome == laneLeft {
			l.Bell.Start(subject)
		}
	})
}

// laneOutcome is what became of a drain in the lane, and a label of its metric.
type laneOutcome string

const (
	laneDone  laneOutcome = "done"  // nothing is left
	laneLeft  laneOutcome = "left"  // to the workflow
	laneTaken laneOutcome = "taken" // somebody else was faster, or the inbox could not be asked
)

// relieve drains a subject until nothing is left, or until its workflow is to go on.
func (l *Lane) relieve(ctx context.Context, v *visit, in workflows.DrainInput) laneOutcome {
	for {
		outcome, more := l.drainOnce(ctx, in)
		switch {
		case !more:
			return outcome
		case v.wanted.Load(), len(l.places) == cap(l.places), l.stopping.Load():
			return laneLeft
		}
	}
}

// drainOnce makes one claim and does what it allows. Each has its own time: an attempt
// that the end of the visit's time cut off would be repeated.
func (l *Lane) drainOnce(ctx context.Context, in workflows.DrainInput) (_ laneOutcome, more bool) {
	ctx, cancel := context.WithTimeout(ctx, laneTimeout)
	defer cancel()
	w, err := l.claim(ctx, in, l.config.drainTime())
	if err != nil || !w.taken() {
		// It is still rung, and found again; or it is in the hands of whoever
		// emptied it, holds it, or has it now.
		return laneTaken, false
	}
	switch out := w.drain(ctx, 0); out.Outcome {
	case workflows.OutcomeEmpty:
		return laneDone, false
	case workflows.OutcomeMore:
		return "", true
	default:
		return laneLeft, false
	}
}

// complain logs that the inbox is away, at most twice a minute.
func (l *Lane) complain(ctx context.Context, err error) {
	if ctx.Err() != nil || time.Since(l.trouble) < 30*time.Second {
		return
	}
	l.trouble = time.Now()
	l.log.LogAttrs(ctx, slog.LevelWarn, "the relief lane cannot ask the inbox", slog.Any("error", err))
}
