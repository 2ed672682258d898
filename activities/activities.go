package activities

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

// Store is what the activities use of the inbox.
type Store interface {
	inbox.Drainer
	Operate(ctx context.Context, v inbox.Verb) (inbox.SubjectView, error)
}

// Activities are the worker's activities over one inbox.
type Activities struct {
	store    Store
	routes   *Routes
	config   Config
	gate     *gate
	metrics  *metrics
	log      *slog.Logger
	now      func() time.Time
	yield    func(ctx context.Context, source string)
	stopping atomic.Bool
	visits   visits
}

// New returns activities with valid settings. Metrics go to the registry.
func New(store Store, routes *Routes, c Config, registry prometheus.Registerer, log *slog.Logger) *Activities {
	return &Activities{
		store: store, routes: routes, config: c, gate: newGate(c.DestinationConcurrency),
		metrics: newMetrics(registry), log: log, now: time.Now,
		yield: func(context.Context, string) {},
	}
}

// Yield has drains wait before they begin an event, for as long as await does: what is
// more urgent in this process goes first. Call it before anything works.
func (a *Activities) Yield(await func(ctx context.Context, source string)) { a.yield = await }

// Register gives a worker every activity under its wire name. Recovery activities
// are named after handlers; one whose handler is no longer configured, because the
// routes changed while it waited, is run by the dynamic activity.
func (a *Activities) Register(r worker.Registry) {
	r.RegisterActivityWithOptions(a.Drain, activity.RegisterOptions{Name: workflows.ActivityDrain})
	r.RegisterActivityWithOptions(a.Operate, activity.RegisterOptions{Name: workflows.ActivityOperate})
	for _, name := range a.routes.Names() {
		r.RegisterActivityWithOptions(a.Recover, activity.RegisterOptions{Name: name})
	}
	r.RegisterDynamicActivity(func(ctx context.Context, args converter.EncodedValues) (workflows.RecoverOutput, error) {
		var in workflows.RecoverInput
		if err := args.Get(&in); err != nil {
			return workflows.RecoverOutput{}, err
		}
		return a.Recover(ctx, in)
	}, activity.DynamicRegisterOptions{})
}

// Stop makes running drains end after the event in hand, and new ones end at
// once. Call it before the worker's own Stop, which waits for them.
func (a *Activities) Stop() { a.stopping.Store(true) }

// StopTimeout is how long the worker's own Stop must wait so that no attempt is cut off.
func (c Config) StopTimeout() time.Duration {
	return max(c.DeliveryTimeout, c.FirstAttemptTimeout) + attemptMargin
}

// attemptMargin is the time around an attempt: the claim before it and the settle
// after it, on a slow disk.
const attemptMargin = 10 * time.Second

// drainTime is how long a drain has its subject: its last event starts before its
// budget is used up, and is recorded.
func (c Config) drainTime() time.Duration {
	return drainBudget + c.FirstAttemptTimeout + attemptMargin
}

func (c Config) policy() workflows.Policy {
	return workflows.Policy{RecoverTimeout: c.DeliveryTimeout + attemptMargin, Linger: c.Linger}
}
