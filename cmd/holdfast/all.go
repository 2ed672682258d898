package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
)

func allCommand() *cobra.Command {
	return processCommand(roles{ingress: true, worker: true}, &cobra.Command{
		Use:   "all",
		Short: "Run ingress and worker in one process",
		Long: `Runs the ingress and the worker in one process, against the Temporal that
TEMPORAL_ADDRESS names (127.0.0.1:7233). The namespace needs two search attributes;
the start says how to create them.`,
		Example: `  HOLDFAST_SOURCES=redo HOLDFAST_SOURCE_REDO_SECRET=… \
  HOLDFAST_ROUTES='redo/*=https://app.example/hooks' holdfast all`,
	})
}

func ingressCommand() *cobra.Command {
	return processCommand(roles{ingress: true}, &cobra.Command{
		Use:   "ingress",
		Short: "Run an ingress alone, one of any number over PostgreSQL",
		Long: `Runs an ingress: it receives webhooks, makes them durable and rings Temporal, which it
does not need to accept. Any number of ingresses and workers share a PostgreSQL inbox:
set HOLDFAST_INBOX=postgres://… . An SQLite inbox is one process's: over one,
run ` + "`holdfast all`" + `.

While PostgreSQL is away, senders get a 503 and /readyz is red. On SIGTERM /readyz turns
red, requests are accepted for HOLDFAST_DRAIN_DELAY, and what was accepted is rung.`,
		Example: `  HOLDFAST_INBOX=postgres://holdfast@db.example/holdfast HOLDFAST_SOURCES=redo \
  HOLDFAST_SOURCE_REDO_SECRET_FILE=/run/secrets/redo holdfast ingress`,
	})
}

func workerCommand() *cobra.Command {
	return processCommand(roles{worker: true}, &cobra.Command{
		Use:   "worker",
		Short: "Run a worker alone, one of any number over PostgreSQL",
		Long: `Runs a worker: it handles the events of the inbox, when Temporal tells it to. Any number
of ingresses and workers share a PostgreSQL inbox: set HOLDFAST_INBOX=postgres://… . An
SQLite inbox is one process's: over one, run ` + "`holdfast all`" + `. It needs no source's settings.

While PostgreSQL is away it waits, and no event is blamed. On SIGTERM it takes no new
work and finishes the events in hand, which takes up to HOLDFAST_DELIVERY_TIMEOUT and ten
seconds. With HOLDFAST_DEPLOYMENT it is given work only while its build is the current one
(` + "`holdfast deployment`" + `).`,
		Example: `  HOLDFAST_INBOX=postgres://holdfast@db.example/holdfast \
  HOLDFAST_ROUTES='redo/*=https://app.example/hooks' holdfast worker`,
	})
}

// processCommand makes the command that runs a process with these roles.
func processCommand(r roles, c *cobra.Command) *cobra.Command {
	c.Args = cobra.NoArgs
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		log := slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
		s, err := loadProcess(r, log)
		if err != nil {
			return err
		}
		return runProcess(cmd.Context(), s, log, func(p *process) error { p.logStart(); return nil }, func() {})
	}
	return c
}

// runProcess runs a process to its end. begin is called once it listens, end when
// it has stopped.
func runProcess(ctx context.Context, s processSettings, log *slog.Logger, begin func(*process) error, end func()) error {
	p, err := newProcess(ctx, s, log)
	if err != nil {
		return err
	}
	defer end()
	defer p.close()
	if err := begin(p); err != nil {
		return err
	}
	return p.serve(ctx)
}

// logStart says, for a log, where everything is.
func (p *process) logStart() {
	var names []string
	for _, source := range p.sources {
		names = append(names, source.Name+"="+source.Dialect)
	}
	attributes := []any{
		slog.String("inbox", p.common.Inbox.String()), slog.String("operator", localURL(p.api.Addr())),
		slog.String("temporal", addressOf(p.temporal)), slog.String("namespace", namespaceOf(p.temporal)),
	}
	if p.door != nil {
		attributes = append(attributes, slog.String("webhooks", localURL(p.door.Addr())+"/webhooks/"), slog.String("sources", strings.Join(names, ",")))
	}
	if p.worker != nil {
		attributes = append(attributes, slog.Any("handlers", p.routes.Names()))
	}
	p.log.Info("holdfast started", attributes...)
}
