// Command scale measures what sizes do to Holdfast: a subject with a million waiting
// events, a million subjects with one event each, an inbox with ten million settled
// events. It fills an inbox, runs the real holdfast over it with a Temporal development
// server in memory, is the destination itself, and prints a line of JSON for each case,
// and on standard error what people want to read.
//
//	TEMPORAL_CLI=$(sh deploy/temporal-cli.sh) go run ./bench/scale -inbox sqlite:data/scale.db backlog
//
// The cases:
//
//   - backlog: one subject's events, paused and then resumed. Another subject gets an
//     event now and then, through the ingress, before that and meanwhile.
//   - crowd: subjects with one event each, sent to the ingress as fast as it accepts.
//   - restart: the same subjects, but accepted before the process starts: all of them
//     are to be rung at once.
//   - history: an inbox that is full of settled events, in turns with an empty one
//     (-against), accepts and drains the same load.
//
// A case fails when an event is lost, repeated or out of order. Whether a figure is a
// good one is for who reads it. Inboxes are never emptied: history fills one only once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// scale is one call of the program.
type scale struct {
	options
	site *site
	tell io.Writer // what people read
}

func run(ctx context.Context, args []string, env func(string) string, out, tell io.Writer) error {
	o, err := readOptions(args, env, tell)
	if err != nil {
		return err
	}
	s := &scale{options: o, tell: tell}
	if s.site, err = openSite(ctx, o.temporal, o.holdfast); err != nil {
		return err
	}
	failed, err := s.all(ctx, out)
	if err = errors.Join(err, s.site.close()); err != nil {
		return fmt.Errorf("%w; logs are in %s", err, s.site.dir)
	}
	if len(failed) > 0 {
		return fmt.Errorf("a promise was broken: %s; logs are in %s", strings.Join(failed, ", "), s.site.dir)
	}
	return os.RemoveAll(s.site.dir)
}

// all runs the cases and prints their results. It returns the names of those in which
// a promise was broken.
func (s *scale) all(ctx context.Context, out io.Writer) (failed []string, err error) {
	for _, name := range s.cases {
		r := newResult(name, s.options)
		r.LoadBefore = loadAverage()
		if err := cases()[name](s, ctx, r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r.LoadAfter, r.Passed = loadAverage(), len(r.Problems) == 0
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return nil, err
		}
		r.write(s.tell)
		if !r.Passed {
			failed = append(failed, name)
		}
	}
	return failed, nil
}
