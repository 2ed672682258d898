package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/precedence"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

const (
	// requestGrace is how long running requests may take when a process stops;
	// ringGrace how long its last rings may: the sweeper repeats what is left.
	requestGrace = 10 * time.Second
	ringGrace    = 3 * time.Second
)

// process is a running Holdfast: the parts of its roles, in the order in which
// they depend on each other.
type process struct {
	processSettings
	log      *slog.Logger
	registry *prometheus.Registry
	inbox    inbox.Inbox
	client   client.Client
	ringer   *doorbell.Ringer
	sweeper  *doorbell.Sweeper
	entrance *precedence.Door // nil without the role
	door     *ingress.Server  // nil without the role
	api      *ingress.Server
	worker   *fleetWorker     // nil without the role
	lane     *activities.Lane // nil without it, or when it is off
	stopping atomic.Bool
}

// newProcess opens everything and listens, but serves nothing yet. Close the
// process, also after serve.
func newProcess(ctx context.Context, s processSettings, log *slog.Logger) (*process, error) {
	p := &process{processSettings: s, log: log, registry: prometheus.NewRegistry()}
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := p.open(ctx); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *process) open(ctx context.Context) error {
	for _, warning := range p.warnings {
		p.log.Warn("a setting to think about", slog.String("warning", warning))
	}
	store, err := openInbox(ctx, p.common, p.registry, p.log)
	if err != nil {
		return err
	}
	p.inbox = store
	if p.client, err = dialTemporal(p.temporal, p.log); err != nil {
		return err
	}
	window := relief.NewWindow(p.common.Relief)
	if p.roles.ingress {
		p.entrance = precedence.NewDoor(store)
	}
	p.ringer = doorbell.NewRinger(doorbell.Options{
		Temporal: p.client, Log: p.log, Registry: p.registry, TaskQueue: p.common.TaskQueue,
		Eager: p.eager(), Relief: window, Inbox: store, Left: p.tellLane, Crowds: p.crowds(),
	})
	p.sweeper = doorbell.NewSweeper(doorbell.SweeperOptions{
		Config: p.processSettings.sweeper, Inbox: store, Bell: p.ringer, Log: p.log, Registry: p.registry,
	})
	if p.roles.ingress {
		door := ingress.New(ingress.Options{
			Config: p.processSettings.door, Sources: p.sources, Inbox: p.entrance, Bell: p.ringer, Log: p.log, Registry: p.registry,
		})
		if p.door, err = ingress.Listen(ctx, p.processSettings.door.Listen, p.lastAnswers(door.Handler()), p.log); err != nil {
			return listenProblem("HOLDFAST_LISTEN", p.processSettings.door.Listen, err)
		}
	}
	if p.roles.worker {
		worker.SetStickyWorkflowCacheSize(p.tuning.CachedRuns)
		work := activities.New(store, p.routes, p.work, p.registry, p.log)
		p.yield(work)
		p.worker = &fleetWorker{
			client: p.client, namespace: namespaceOf(p.temporal), taskQueue: p.common.TaskQueue,
			activities: work, config: p.work, tuning: p.tuning, versioning: p.versioning, log: p.log,
		}
		if !window.Off() {
			p.lane = activities.NewLane(work, activities.LaneOptions{Window: window, Bell: p.ringer, May: p.worker.mayWork})
		}
	}
	return p.openAPI(ctx)
}

func (p *process) openAPI(ctx context.Context) (err error) {
	checks := []operator.Check{{Name: "process", Run: p.ready}, {Name: "inbox", Run: p.inbox.Ping}}
	if p.worker != nil && !p.roles.ingress {
		// An ingress accepts without Temporal, so only a mere worker is unready without it.
		checks = append(checks, operator.Check{Name: "worker", Run: p.worker.ready})
	}
	api := operator.New(operator.Options{
		Config: p.operator, Inbox: p.inbox, Bell: p.ringer, Log: p.log, Metrics: p.registry, Checks: checks,
	})
	if p.api, err = ingress.Listen(ctx, p.operator.OperatorListen, api.Handler(), p.log); err != nil {
		return listenProblem("HOLDFAST_OPERATOR_LISTEN", p.operator.OperatorListen, err)
	}
	return nil
}

// listenProblem says what to do about an address that cannot be listened on.
func listenProblem(name, address string, err error) error {
	if _, port, bad := net.SplitHostPort(address); bad == nil && errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: port %s is in use: stop what listens there or set another address", name, port)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// serve works until ctx ends or a part fails, then stops the parts in the order
// in which work comes in: no new request, the events in hand settled, the last
// rings sent, and the operator listener last. Each step is bounded: by the drain
// delay and requestGrace, beside them by the worker's StopTimeout, by ringGrace.
func (p *process) serve(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	start := func(run func() error) (stopped chan struct{}) {
		stopped = make(chan struct{})
		go func() {
			defer close(stopped)
			if err := run(); err != nil {
				fail(err)
			}
		}()
		return stopped
	}
	start(p.api.Serve)
	if p.door != nil {
		start(p.door.Serve)
	}
	swept := start(func() error { p.sweeper.Run(ctx); return nil })
	relieved := start(func() error { p.runLane(ctx); return nil })
	worked := start(func() error { return p.runWorker(ctx) })

	<-ctx.Done()
	p.stopping.Store(true)
	p.letBalancersNotice(context.Cause(ctx))
	p.stopRequests(p.door)
	<-worked
	<-relieved
	<-swept
	p.stopRings()
	p.stopRequests(p.api)
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// runWorker runs the worker, if there is one.
func (p *process) runWorker(ctx context.Context) error {
	if p.worker == nil {
		return nil
	}
	return p.worker.run(ctx)
}

func (p *process) stopRequests(server *ingress.Server) {
	if server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		p.log.Warn("requests were cut off", slog.Any("error", err))
	}
}

// stopRings sends the last rings. Called again, it has nothing left to say.
func (p *process) stopRings() {
	if p.ringer == nil {
		return
	}
	ringer := p.ringer
	p.ringer = nil
	ctx, cancel := context.WithTimeout(context.Background(), ringGrace)
	defer cancel()
	if err := ringer.Close(ctx); err != nil {
		p.log.Warn("stopped with rings outstanding", slog.Any("error", err))
	}
}

// close releases what open has opened.
func (p *process) close() {
	for _, server := range []*ingress.Server{p.door, p.api} {
		p.stopRequests(server)
	}
	p.stopRings()
	if p.client != nil {
		p.client.Close()
	}
	if p.destinations != nil {
		p.destinations.Close()
	}
	if p.inbox != nil {
		if err := p.inbox.Close(); err != nil {
			p.log.Error("close the inbox", slog.Any("error", err))
		}
	}
}

func addressOf(o client.Options) string {
	if o.HostPort == "" {
		return client.DefaultHostPort
	}
	return o.HostPort
}

func namespaceOf(o client.Options) string {
	if o.Namespace == "" {
		return client.DefaultNamespace
	}
	return o.Namespace
}

// localURL turns a listener's address into a URL for this machine.
func localURL(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return "http://" + address.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
