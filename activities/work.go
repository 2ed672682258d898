package activities

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// proofAge is how old the last proof of ownership, a claim or a settle, may be
	// when a handler starts. A worker that was frozen for longer asks first.
	proofAge = time.Second

	// recordTimeout bounds the settle after an attempt. It runs to its end even if
	// the activity's time is up: unless another claim came, it saves a repeat.
	recordTimeout = 8 * time.Second
)

// work is what one claim allows: to handle a subject's events, one at a time.
type work struct {
	*Activities
	subject  inbox.Subject
	runID    string
	original string
	reopened int
	proved   time.Time // monotonic
}

// claim takes the subject's epoch for a run.
func (a *Activities) claim(ctx context.Context, in workflows.DrainInput, busy time.Duration) (*work, error) {
	now := a.now()
	claimed, err := a.store.Claim(ctx, inbox.Claim{
		Subject: in.Subject, Now: now, BusyUntil: now.Add(busy),
		RunID: in.RunID, OriginalRunID: in.OriginalRunID, AfterEpoch: in.AfterEpoch,
	})
	if err != nil {
		return nil, err
	}
	if claimed.Reopened > 0 {
		a.log.LogAttrs(ctx, slog.LevelInfo, "a reset run reopened events",
			slog.String("subject", in.Subject), slog.Int("events", claimed.Reopened))
	}
	return &work{
		Activities: a, subject: claimed.Subject, runID: in.RunID, original: in.OriginalRunID,
		reopened: claimed.Reopened, proved: time.Now(),
	}, nil
}

// step is what came of one event.
type step struct {
	// settled tells that the event is no longer pending; pending and held are then
	// the subject's.
	settled bool
	pending int
	held    bool
	// busy, when not nil, is why no attempt was made.
	busy error
	// failed, when not nil, is the attempt that failed, and wait what follows it.
	failed error
	wait   time.Duration
	hold   bool
}

// handle makes one attempt at an event and records what follows from it. An
// error means that nothing is known to be recorded: it is ErrFenced, or our own
// infrastructure's, or the activity's end.
func (w *work) handle(ctx context.Context, e inbox.Entry, limit time.Duration, retries bool) (step, error) {
	h, routed := w.routes.Match(e.Source, e.Type)
	if !routed {
		return w.settle(ctx, e, "", inbox.StatusParked, "no route in HOLDFAST_ROUTES matches "+e.Source+"/"+e.Type, 0)
	}
	leave, err := w.gate.enter(ctx, h.key(), retries)
	if err != nil {
		return step{busy: err}, ctx.Err()
	}
	if err := w.prove(ctx); err != nil {
		leave(errNoAttempt)
		return step{}, err
	}
	start := time.Now()
	err = h.run(ctx, newEvent(e), limit)
	took := time.Since(start)
	if err != nil && ctx.Err() != nil {
		leave(errNoAttempt) // cut off by the end of the activity, not by the destination
		return step{}, ctx.Err()
	}
	leave(err)
	w.metrics.attempt(h.Name, err, took)
	return w.record(context.WithoutCancel(ctx), e, h.Name, err, took)
}

// prove makes sure that the subject is still ours just before a handler starts.
func (w *work) prove(ctx context.Context) error {
	if time.Since(w.proved) <= proofAge {
		return nil
	}
	if err := w.store.Own(ctx, w.subject.ID, w.subject.Epoch); err != nil {
		return err
	}
	w.proved = time.Now()
	return nil
}

func (w *work) record(ctx context.Context, e inbox.Entry, handler string, err error, took time.Duration) (step, error) {
	switch {
	case err == nil:
		return w.settle(ctx, e, handler, inbox.StatusDelivered, "", 1)
	case Classify(err) == Parked:
		return w.settle(ctx, e, handler, inbox.StatusParked, textOf(err), 1)
	case e.Staging:
		return w.settle(ctx, e, handler, inbox.StatusFailed, textOf(err), 1)
	default:
		return w.fail(ctx, e, handler, err, took)
	}
}

func (w *work) settle(ctx context.Context, e inbox.Entry, handler string, status inbox.Status, reason string, attempts int) (step, error) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	settled, err := w.store.Settle(ctx, inbox.Settlement{
		Subject: w.subject.ID, Epoch: w.subject.Epoch, Sequence: e.Sequence, Status: status, Reason: reason,
		Handler: handler, Attempts: attempts, Now: w.now(), RunID: w.runID, OriginalRunID: w.original,
	})
	if errors.Is(err, inbox.ErrNotPending) { // an operator parked it meanwhile
		return step{settled: true, pending: 1}, nil
	}
	if err != nil {
		return step{}, err
	}
	w.proved = time.Now()
	w.subject.Streak, w.subject.Spent, w.subject.Holds = 0, 0, 0
	w.metrics.settled.WithLabelValues(e.Source, string(status)).Inc()
	level := slog.LevelDebug
	if status != inbox.StatusDelivered {
		level = slog.LevelWarn
	}
	w.log.LogAttrs(ctx, level, "settled", append(about(e.Event), slog.String("status", string(status)),
		slog.String("handler", handler), slog.String("error", reason))...)
	return step{settled: true, pending: settled.Pending, held: settled.Held}, nil
}

func (w *work) fail(ctx context.Context, e inbox.Entry, handler string, cause error, took time.Duration) (step, error) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	now := w.now()
	v := w.config.judge(w.subject, cause, took, rand.Float64())
	failure := inbox.Failure{
		Subject: w.subject.ID, Epoch: w.subject.Epoch, Sequence: e.Sequence, Handler: handler,
		Error: textOf(cause), Spent: v.spent, Now: now, NextWake: now.Add(v.wait),
	}
	if v.hold {
		failure.Hold = &inbox.Hold{Until: now.Add(v.wait), Reason: textOf(cause)}
	}
	subject, err := w.store.Fail(ctx, failure)
	if errors.Is(err, inbox.ErrNotPending) {
		return step{settled: true, pending: 1}, nil
	}
	if err != nil {
		return step{}, err
	}
	w.subject = subject
	w.proved = time.Now()
	var p *panicError
	if errors.As(cause, &p) {
		w.log.LogAttrs(ctx, slog.LevelError, "a handler panicked", append(about(e.Event),
			slog.String("handler", handler), slog.String("error", textOf(cause)), slog.String("stack", string(p.stack)))...)
	}
	if v.hold {
		w.alert(ctx, e, handler, subject)
	} else {
		w.log.LogAttrs(ctx, slog.LevelWarn, "attempt failed", append(about(e.Event), slog.String("handler", handler),
			slog.Int("attempt", e.Attempts+1), slog.String("error", textOf(cause)), slog.Duration("next_try_in", v.wait.Round(time.Millisecond)))...)
	}
	return step{failed: cause, wait: v.wait, hold: v.hold}, nil
}

// alert is the one log line, and the one count, of a subject that becomes held.
func (w *work) alert(ctx context.Context, e inbox.Entry, handler string, s inbox.Subject) {
	w.metrics.held.WithLabelValues(e.Source).Inc()
	w.log.LogAttrs(ctx, slog.LevelError, "subject held", append(about(e.Event), slog.String("handler", handler),
		slog.String("error", s.LastError), slog.Time("held_until", s.HeldUntil), slog.Int("pending", s.Pending))...)
}

func about(e inbox.Event) []slog.Attr {
	return []slog.Attr{
		slog.String("source", e.Source), slog.String("type", e.Type), slog.String("subject", e.Subject),
		slog.Int64("sequence", e.Sequence), slog.String("event_id", e.EventID),
	}
}
