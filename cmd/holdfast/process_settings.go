package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
)

// roles are what a process does besides its operator listener.
type roles struct{ ingress, worker bool }

// processSettings are what a process was started with, checked as far as they can
// be without touching anything.
type processSettings struct {
	roles
	common       Config
	door         ingress.Config
	sources      []ingress.Source
	warnings     []string
	operator     operator.Config
	sweeper      doorbell.Config
	work         activities.Config
	tuning       activities.Tuning
	versioning   Versioning
	destinations *activities.Destinations
	routes       *activities.Routes
	temporal     client.Options
}

// loadProcess reads the settings that the roles use, and no others: a worker
// never sees a webhook's secret. Its error lists every problem.
func loadProcess(r roles, log *slog.Logger) (processSettings, error) {
	s := processSettings{roles: r}
	problems := []error{checkUnknown(os.Environ()), load(&s.common, &s.operator, &s.sweeper)}
	if r.ingress != r.worker {
		problems = append(problems, sharedByNone(s.common.Inbox))
	}
	if r.ingress {
		var err error
		problems = append(problems, load(&s.door))
		s.sources, s.warnings, err = ingress.LoadSources(providers.Dialects(), s.door.Sources)
		problems = append(problems, err)
	}
	if r.worker {
		var err error
		problems = append(problems, load(&s.work, &s.tuning, &s.versioning))
		s.destinations = activities.NewDestinations(s.work, log)
		s.routes, err = activities.NewRoutes(s.work.Routes, s.destinations, handlers(log))
		problems = append(problems, err)
	}
	var err error
	s.temporal, err = temporalOptions()
	problems = append(problems, err)
	return s, allProblems(problems...)
}

// sharedByNone is the problem that half a fleet has with an SQLite inbox. An inbox
// that was given, but cannot be read or is empty, is reported as that: its default
// causes no second, misleading problem.
func sharedByNone(where inboxURL) error {
	file, sqlite := where.sqlite()
	given, set, err := providers.Lookup(os.LookupEnv, "HOLDFAST_INBOX")
	if !sqlite || err != nil || set && strings.TrimSpace(given) == "" {
		return nil
	}
	return fmt.Errorf("HOLDFAST_INBOX: %s is an SQLite file, which only one process can use: set postgres://…, or run ingress and worker in one, as `holdfast all`", file)
}
