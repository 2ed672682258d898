package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/deploy/bench/cputime"
)

// roundTime is how long each benchmark runs in a round.
const roundTime = "100ms"

// pair is a package's benchmarks of both trees.
type pair struct{ base, here program }

// compareTimes runs the benchmarks of the base and of the work tree in turns. What
// looks slower is run again, and is a regression if it looks slower again. The
// first error is of a regression.
func compareTimes(ctx context.Context, out io.Writer, folder string, here []program, o options) (slower, err error) {
	commit, err := revision(ctx, o.root, o.base)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(folder, "base")
	if err := export(ctx, o.root, commit, root); err != nil {
		return nil, err
	}
	base, err := build(ctx, tree{root: root, programs: filepath.Join(folder, "programs")}, o.packages)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", commit, err)
	}
	pairs, same, err := pairUp(base, here)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "Processor time, against %s:\n", commit)
	if len(same) > 0 {
		fmt.Fprintf(out, "  the same program: %s\n", strings.Join(same, " "))
	}
	suspects, err := rounds(ctx, out, pairs, o.bench, o)
	if err != nil {
		return nil, err
	}
	if len(suspects) > 0 {
		fmt.Fprintf(out, "  once more, what looks slower:\n")
		again, err := rounds(ctx, out, pairs, only(suspects), o)
		if err != nil {
			return nil, err
		}
		suspects = slices.DeleteFunc(suspects, func(name string) bool { return !slices.Contains(again, name) })
	}
	if len(suspects) == 0 {
		fmt.Fprintf(out, "  nothing is slower by %.0f %% or more\n", o.percent)
		return nil, nil
	}
	fmt.Fprintf(out, "  Slower: %s.\n  Look for the cause with go test -run '^$' -bench NAME -cpuprofile cpu.prof PACKAGE.\n", strings.Join(suspects, ", "))
	return errSlower, nil
}

// pairUp finds the packages that both trees have. Where both make the same program,
// byte for byte, there is nothing to compare.
func pairUp(base, here []program) (pairs []pair, same []string, err error) {
	for _, h := range here {
		at := slices.IndexFunc(base, func(b program) bool { return b.pkg == h.pkg })
		if at < 0 {
			continue
		}
		before, err := os.ReadFile(base[at].path)
		if err != nil {
			return nil, nil, err
		}
		now, err := os.ReadFile(h.path)
		if err != nil {
			return nil, nil, err
		}
		if bytes.Equal(before, now) {
			same = append(same, h.pkg)
			continue
		}
		pairs = append(pairs, pair{base[at], h})
	}
	return pairs, same, nil
}

// rounds runs both sides of each pair in turns, prints what it finds, and returns
// the benchmarks that look slower.
func rounds(ctx context.Context, out io.Writer, pairs []pair, bench string, o options) (slower []string, err error) {
	base, here := results{}, results{}
	for round := range o.rounds {
		for _, p := range pairs {
			sides := []func() error{
				func() error { _, err := p.base.run(ctx, bench, roundTime, base); return err },
				func() error { _, err := p.here.run(ctx, bench, roundTime, here); return err },
			}
			if round%2 == 1 { // who is second finds a warmer machine
				slices.Reverse(sides)
			}
			for _, run := range sides {
				if err := run(); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(here)) {
		before, now := base[name][cputime.Unit], here[name][cputime.Unit]
		if len(before) != o.rounds || len(now) != o.rounds {
			fmt.Fprintf(out, "  %-48s is not in the base\n", name)
			continue
		}
		c := compare(before, now)
		fmt.Fprintf(out, "  %-48s %s\n", name, c)
		if c.slower(o.percent) {
			slower = append(slower, name)
		}
	}
	return slower, nil
}

// only is an expression of exactly these benchmarks, whatever their packages.
func only(names []string) string {
	var paths []string
	for _, name := range names {
		_, path, _ := strings.Cut(name, ".")
		parts := strings.Split(path, "/")
		for i, part := range parts {
			parts[i] = "^" + regexp.QuoteMeta(part) + "$"
		}
		paths = append(paths, strings.Join(parts, "/"))
	}
	return strings.Join(paths, "|")
}
