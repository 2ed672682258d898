package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/bench"
)

// benchFlags are the flags that make a workload: a named one, and what changes it.
type benchFlags struct {
	name    string
	changed bench.Workload
}

// add declares them. Their defaults are the named workload's.
func (f *benchFlags) add(cmd *cobra.Command) {
	flags, w := cmd.Flags(), &f.changed
	flags.StringVar(&f.name, "workload", "warm", "`name` of a workload: "+strings.Join(workloadNames(), ", "))
	flags.IntVar(&w.Events, "events", 0, "`number` of events, each sent once unless it is refused or one of --duplicates")
	flags.DurationVar(&w.Duration, "duration", 0, "send for this `time` instead of a number of events")
	flags.IntVar(&w.Subjects, "subjects", 0, "`number` of subjects, which take turns; 0: each event has one of its own")
	flags.IntVar(&w.Connections, "connections", 0, "`number` of requests at a time, at most; a subject has one at a time")
	flags.Float64Var(&w.Rate, "rate", 0, "events per `second`; 0: the next one as soon as one is accepted")
	flags.IntVar(&w.Size, "size", 0, "`bytes` of a body, about")
	flags.Float64Var(&w.Duplicates, "duplicates", 0, "`share` of events that are sent twice, from 0 to 1")
	flags.DurationVar(&w.Delay, "delay", 0, "`time` that the destination takes for each delivery; beyond the worker's HOLDFAST_FIRST_ATTEMPT_TIMEOUT each is repeated")
}

// workload is the named one with what the flags change. Its error lists all that is
// wrong with them.
func (f *benchFlags) workload(cmd *cobra.Command) (bench.Workload, error) {
	var w bench.Workload
	given := cmd.Flags().Changed
	for _, named := range bench.Workloads() {
		if named.Name == f.name {
			w = named
		}
	}
	var problems []error
	if w.Name == "" {
		problems = append(problems, fmt.Errorf("--workload: there is no %q; there are %s", f.name, strings.Join(workloadNames(), ", ")))
	}
	c := f.changed
	for flag, take := range map[string]func(){
		"events": func() { w.Events, w.Duration = c.Events, 0 }, "duration": func() { w.Duration, w.Events = c.Duration, 0 },
		"subjects": func() { w.Subjects = c.Subjects }, "connections": func() { w.Connections = c.Connections },
		"rate": func() { w.Rate = c.Rate }, "size": func() { w.Size = c.Size },
		"duplicates": func() { w.Duplicates = c.Duplicates }, "delay": func() { w.Delay = c.Delay },
	} {
		if given(flag) {
			take()
		}
	}
	return w, errors.Join(append(problems, checkWorkload(c, given)...)...)
}

// The most that a flag may ask for is more than any machine can do, so that what is
// beyond it is a slip.
const (
	mostConnections = 10_000
	mostSubjects    = 10_000_000
	mostSize        = 64 << 20
)

// checkWorkload finds what is wrong with the flags that were given.
func checkWorkload(c bench.Workload, given func(string) bool) (problems []error) {
	check := func(flag string, right bool, format string, args ...any) {
		if given(flag) && !right {
			problems = append(problems, fmt.Errorf("--"+flag+" "+format, args...))
		}
	}
	check("events", c.Events >= 1, "must be at least 1, not %d", c.Events)
	check("events", !given("duration"), "and --duration exclude each other: leave one out")
	check("duration", c.Duration > 0, "must be a positive duration, such as 30s, not %s", c.Duration)
	check("subjects", c.Subjects >= 0 && c.Subjects <= mostSubjects, "must be from 0 to %d, not %d", mostSubjects, c.Subjects)
	check("connections", c.Connections >= 1 && c.Connections <= mostConnections, "must be from 1 to %d, not %d", mostConnections, c.Connections)
	// A number that is none fails every comparison.
	check("rate", c.Rate >= 0 && c.Rate <= 1e6, "must be from 0 to 1000000, not %v", c.Rate)
	check("size", c.Size >= 0 && c.Size <= mostSize, "must be from 0 to %d bytes, not %d", mostSize, c.Size)
	check("duplicates", c.Duplicates >= 0 && c.Duplicates <= 1, "must be from 0 to 1, not %v", c.Duplicates)
	check("delay", c.Delay >= 0 && c.Delay <= time.Hour, "must be from 0s to 1h, not %s", c.Delay)
	return problems
}

func workloadNames() (names []string) {
	for _, w := range bench.Workloads() {
		names = append(names, w.Name)
	}
	return names
}

// describeWorkloads is a line for each, for the help.
func describeWorkloads() string {
	var lines []string
	for _, w := range bench.Workloads() {
		lines = append(lines, "  "+describeWorkload(w))
	}
	return strings.Join(lines, "\n")
}

// describeWorkload says what a workload is, on one line.
func describeWorkload(w bench.Workload) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", w.Name)
	if w.Events > 0 {
		fmt.Fprintf(&b, "%s events", thousands(w.Events))
	} else {
		fmt.Fprintf(&b, "events for %s", w.Duration)
	}
	switch w.Subjects {
	case 0:
		b.WriteString(", each of a subject of its own")
	case 1:
		b.WriteString(" of one subject")
	default:
		fmt.Fprintf(&b, " of %s subjects", thousands(w.Subjects))
	}
	if w.Rate > 0 {
		fmt.Fprintf(&b, ", %v a second", w.Rate)
	}
	fmt.Fprintf(&b, ", over %s", counted(w.Connections, "connection"))
	return b.String()
}
