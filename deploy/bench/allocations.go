package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
)

const (
	// The baseline has so many runs of so many operations each.
	baselineRuns = 5
	quickRuns    = 3
	operations   = "1000x"

	// Bytes are also those that a run allocates beside its operations: buffers that
	// grow, a collection.
	byteSlack = 0.02
	fewBytes  = 16

	// shareSlack is for operations that share commits: how many do is up to the disk
	// and to the machine's other work.
	shareSlack = 0.05
	shared     = "events/commit"
)

// measured are the units that do not depend on the machine.
var measured = []string{"allocs/op", "B/op"}

// write writes the baseline, as benchstat reads it.
func write(ctx context.Context, out io.Writer, here []program, o options) error {
	var file bytes.Buffer
	fmt.Fprintf(&file, "# Written by make bench-baseline. Only allocations are compared with it.\ngo: %s\n", runtime.Version())
	for _, p := range here {
		for range baselineRuns {
			output, err := p.run(ctx, o.bench, operations, results{})
			if err != nil {
				return err
			}
			file.Write(benchmarkLines.Find(output))
		}
	}
	if err := os.WriteFile(o.baseline, file.Bytes(), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(out, "Wrote %s. Commit it with the reason why the figures changed.\n", o.baseline)
	return nil
}

// benchmarkLines are all lines of an output up to the last benchmark's.
var benchmarkLines = regexp.MustCompile(`(?ms)\A.*^Benchmark\S+\s+\d[^\n]*\n`)

// compareAllocations runs the benchmarks and compares them with the baseline. The
// first error is of a regression.
func compareAllocations(ctx context.Context, out io.Writer, here []program, o options) (larger, err error) {
	file, err := os.ReadFile(o.baseline)
	if err != nil {
		return nil, fmt.Errorf("%w: write the baseline with make bench-baseline", err)
	}
	base, now := results{}, results{}
	base.read(file)
	for _, p := range here {
		for range quickRuns {
			if _, err := p.run(ctx, o.bench, operations, now); err != nil {
				return nil, err
			}
		}
	}
	if len(now) == 0 {
		return nil, errors.New("no benchmark ran: -bench matches none in these packages")
	}
	fmt.Fprintf(out, "Allocations, against %s:\n", o.baseline)
	regressions := 0
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if base[name] == nil {
			fmt.Fprintf(out, "  %s is not in the baseline: add it with make bench-baseline\n", name)
			regressions++
			continue
		}
		for _, unit := range measured {
			regressions += judgeAllocations(out, name, unit, base[name], now[name])
		}
	}
	if regressions == 0 {
		fmt.Fprintf(out, "  %d benchmarks allocate no more than it says\n", len(now))
		return nil, nil
	}
	fmt.Fprintf(out, "  Look for the cause with go test -run '^$' -bench NAME -benchmem -memprofile mem.prof PACKAGE and\n"+
		"  go tool pprof -sample_index=alloc_objects. If it is worth it, or comes with another version of Go\n"+
		"  (here %s), write the baseline again with make bench-baseline.\n", runtime.Version())
	return errLarger, nil
}

// judgeAllocations compares the best run now with the worst of the baseline: to the
// allocation, if an operation is alone.
func judgeAllocations(out io.Writer, name, unit string, base, now map[string][]float64) (regressions int) {
	if len(base[unit]) == 0 || len(now[unit]) == 0 {
		fmt.Fprintf(out, "  %s has no %s to compare\n", name, unit)
		return 1
	}
	worst, best := slices.Max(base[unit]), slices.Min(now[unit])
	limit := worst
	if unit == "B/op" {
		limit += fewBytes + byteSlack*worst
	}
	if len(now[shared]) > 0 {
		limit += shareSlack * worst
	}
	if best <= limit {
		return 0
	}
	fmt.Fprintf(out, "  %s: %.0f %s instead of %.0f\n", name, best, unit, worst)
	return 1
}
