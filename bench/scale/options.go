package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-project/holdfast/inbox/relief"
)

// options are the flags.
type options struct {
	cases          []string
	inbox, against string
	holdfast       string
	temporal       string // from the environment
	relief         relief.Mode
	size           int
	probe          time.Duration
	calm           time.Duration
	sample         time.Duration
	delay          time.Duration
	load, rounds   int
}

const caseHistory = "history"

// cases are what can be measured.
func cases() map[string]func(*scale, context.Context, *result) error {
	return map[string]func(*scale, context.Context, *result) error{
		"backlog": (*scale).backlog, "crowd": (*scale).crowd, "restart": (*scale).restart, caseHistory: (*scale).history,
	}
}

func readOptions(args []string, env func(string) string, tell io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.SetOutput(tell)
	names := slices.Sorted(maps.Keys(cases()))
	flags.Usage = func() {
		fmt.Fprintf(tell, "usage: scale -inbox URL [flags] CASE...\n\nCases: %s. TEMPORAL_CLI is the temporal command.\n\n", strings.Join(names, ", "))
		flags.PrintDefaults()
	}
	flags.StringVar(&o.inbox, "inbox", "", "`URL` of the inbox, as in HOLDFAST_INBOX: sqlite:FILE or postgres://…; nothing may be pending in it")
	flags.StringVar(&o.against, "against", "", "`URL` of an empty inbox of the same kind, for history")
	flags.StringVar(&o.holdfast, "holdfast", "bin/holdfast", "the holdfast `program`")
	flags.StringVar((*string)(&o.relief), "relief", string(relief.Auto), "HOLDFAST_RELIEF: off, auto or always")
	flags.IntVar(&o.size, "size", 1_000_000, "`number` of events or subjects; history settles ten times as many")
	flags.DurationVar(&o.probe, "probe", time.Second, "backlog: time between two events of the other subject")
	flags.DurationVar(&o.calm, "calm", time.Minute, "backlog: how long those are sent alone, before the backlog is resumed")
	flags.DurationVar(&o.sample, "sample", 5*time.Second, "time between two looks at the process's memory")
	flags.DurationVar(&o.delay, "delay", 0, "crowd: how long the destination works on each event")
	flags.IntVar(&o.load, "load", 20_000, "history: `events` to accept, over a tenth as many subjects; half as many are drained, over a hundredth")
	flags.IntVar(&o.rounds, "rounds", 3, "history: how often each inbox has its turn")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.cases, o.temporal = flags.Args(), env("TEMPORAL_CLI")
	return o, o.validate(names)
}

func (o options) validate(names []string) error {
	var problems []error
	if len(o.cases) == 0 {
		problems = append(problems, errors.New("name a case: "+strings.Join(names, ", ")))
	}
	for _, name := range o.cases {
		if !slices.Contains(names, name) {
			problems = append(problems, fmt.Errorf("there is no case %q; there are %s", name, strings.Join(names, ", ")))
		}
	}
	if o.inbox == "" {
		problems = append(problems, errors.New("-inbox is missing"))
	}
	if slices.Contains(o.cases, caseHistory) && (o.against == "" || o.against == o.inbox) {
		problems = append(problems, errors.New("history needs -against: another inbox, an empty one"))
	}
	if o.temporal == "" {
		problems = append(problems, errors.New("set TEMPORAL_CLI to a temporal command"))
	}
	if o.size < 1 || o.load < 100 || o.rounds < 1 || o.probe <= 0 || o.calm < o.probe || o.sample <= 0 {
		problems = append(problems, errors.New("sizes and times must be greater than 0, -load at least 100, -calm at least -probe"))
	}
	return errors.Join(append(problems, o.relief.Validate())...)
}
