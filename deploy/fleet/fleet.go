package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options say what a fleet is.
type Options struct {
	// Root is the checkout, for deploy/settings.
	Root     string
	Programs Programs
	// Dir is where data and logs are; a fleet that is started there again goes on with
	// them. PostgreSQL's user must be able to reach it, when we are root.
	Dir string

	Ingresses, Workers int
	// Secrets are the sources' settings: HOLDFAST_SOURCE_...
	Secrets map[string]string
	// Routes is HOLDFAST_ROUTES of the worker with a name.
	Routes func(worker string) string
	// Settings stand before all others, for ingresses and workers.
	Settings map[string]string
	// InitDB are more arguments of PostgreSQL's initdb, for a new Dir.
	InitDB []string

	// Port chooses where something listens: balancer, postgres, temporal, ingress-1,
	// ingress-1-operator, and so on. 0, and no Port, mean any free one.
	Port func(name string) int
	// Through, when set, leads a link through a proxy: it is given who connects to whom
	// and where that is, and returns the address to connect to.
	Through func(from, to, address string) (string, error)

	Log *slog.Logger
}

// Fleet is a running fleet. Its methods are safe for concurrent use.
type Fleet struct {
	Postgres        *Database
	Temporal        *Process
	TemporalAddress string // without a proxy
	Ingresses       []*Holdfast
	URL             string // of the balancer
	UI              string // URL of Temporal's web UI; empty: there is none

	options    Options
	common     map[string]string
	deployment string
	spawner    *spawner
	balancer   *Balancer
	ui         *Process

	mu      sync.Mutex
	workers []*Holdfast
	named   int // workers that there have been
}

// Start starts everything in the order of dependency, and returns when events can be
// accepted and handled. The caller closes the fleet.
func Start(ctx context.Context, options Options) (*Fleet, error) {
	f := &Fleet{options: options, spawner: newSpawner()}
	for _, step := range []struct {
		part  string
		start func(context.Context) error
	}{
		{"PostgreSQL", f.startPostgres},
		{"Temporal", f.startTemporal},
		{"Temporal UI", f.startUI},
		{"schema", f.migrate},
		{"ingresses", f.startIngresses},
		{"workers", f.startWorkers},
		{"load balancer", f.startBalancer},
	} {
		begun := time.Now()
		if err := step.start(ctx); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		options.Log.Info("ready", slog.String("part", step.part), slog.Duration("after", time.Since(begun).Round(time.Millisecond)))
	}
	return f, nil
}

func (f *Fleet) startPostgres(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(f.options.Dir, "logs"), 0o700); err != nil {
		return err
	}
	settings, err := Settings(f.options.Root, "common.env", "worker.env")
	if err != nil {
		return err
	}
	f.deployment = settings["HOLDFAST_DEPLOYMENT"]
	if f.common, err = Settings(f.options.Root, "common.env"); err != nil {
		return err
	}
	port, err := f.port(ctx, "postgres")
	if err != nil {
		return err
	}
	if f.Postgres, err = startDatabase(ctx, filepath.Join(f.options.Dir, "postgres"), port, f.options.InitDB, f.options.Log); err != nil {
		return err
	}
	return f.Postgres.create(ctx, InboxDatabase)
}

func (f *Fleet) startTemporal(ctx context.Context) (err error) {
	if f.Temporal, err = f.temporalServer(ctx); err != nil {
		return err
	}
	if err := f.Temporal.Start(ctx); err != nil {
		return err
	}
	return f.prepareNamespace(ctx)
}

func (f *Fleet) startIngresses(ctx context.Context) error {
	for n := range f.options.Ingresses {
		h, err := f.ingress(ctx, n+1)
		if err != nil {
			return err
		}
		f.Ingresses = append(f.Ingresses, h)
	}
	return startAll(ctx, f.Ingresses)
}

func (f *Fleet) startWorkers(ctx context.Context) error {
	for range f.options.Workers {
		h, err := f.worker(ctx, f.nextWorker(), firstBuild)
		if err != nil {
			return err
		}
		f.addWorkers([]*Holdfast{h})
	}
	if err := startAll(ctx, f.Workers()); err != nil {
		return err
	}
	if f.deployment == "" {
		return nil
	}
	return f.setCurrent(ctx, firstBuild)
}

func (f *Fleet) startBalancer(ctx context.Context) error {
	port, err := f.port(ctx, "balancer")
	if err != nil {
		return err
	}
	var upstreams []Upstream
	for _, h := range f.Ingresses {
		upstreams = append(upstreams, Upstream{URL: h.URL, Ready: func(ctx context.Context) error { return readyz(ctx, h.Operator) }})
	}
	if f.balancer, err = StartBalancer(ctx, local(port), upstreams, f.options.Log); err != nil {
		return fmt.Errorf("start the load balancer: %w", err)
	}
	f.URL = "http://" + local(port)
	return nil
}

// port is where something listens. A fixed one that is taken is found out here, and
// not by a process that cannot start.
func (f *Fleet) port(ctx context.Context, name string) (int, error) {
	port := 0
	if f.options.Port != nil {
		port = f.options.Port(name)
	}
	if port == 0 {
		return FreePort(ctx)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", local(port))
	if err != nil {
		return 0, fmt.Errorf("port %d, for %s, is in use: stop what listens there, such as another fleet or `holdfast dev`", port, name)
	}
	return port, l.Close()
}

func (f *Fleet) through(from, to, address string) (string, error) {
	if f.options.Through == nil {
		return address, nil
	}
	return f.options.Through(from, to, address)
}

func (f *Fleet) process(name string, s spec) *Process {
	s.log = filepath.Join(f.options.Dir, "logs", name+".log")
	return &Process{name: name, spawner: f.spawner, log: f.options.Log, spec: s}
}

// Close stops everything in the order in which work comes in, each part when
// nothing can come to it any more. It keeps Dir.
func (f *Fleet) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	var problems []error
	if f.balancer != nil {
		problems = append(problems, f.balancer.Close())
	}
	problems = append(problems, stopAll(ctx, f.Ingresses), stopAll(ctx, f.Workers()))
	if f.ui != nil {
		problems = append(problems, f.ui.Stop(ctx))
	}
	if f.Temporal != nil {
		problems = append(problems, f.Temporal.Stop(ctx))
	}
	if f.Postgres != nil {
		problems = append(problems, f.Postgres.close())
	}
	f.spawner.close()
	return errors.Join(problems...)
}
