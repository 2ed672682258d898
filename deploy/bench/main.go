// Command bench tells a regression from noise. What an operation allocates does
// not depend on the machine, and is compared with a baseline that is committed. The
// processor time does, so it is compared in pairs: the benchmarks of a base revision
// and those of the work tree run in turns, on this machine, now.
//
// `make bench-compare` does both, `make bench-allocations` the first, and `make
// bench-baseline` writes the baseline.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, ".", os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errSlower and errLarger mean that a regression was found, and has been printed.
var (
	errSlower = errors.New("slower than the base")
	errLarger = errors.New("more is allocated than the baseline says")
)

// options are what is asked for on the command line.
type options struct {
	root     string // of the checkout
	packages []string
	bench    string
	baseline string
	write    bool
	quick    bool
	base     string
	rounds   int
	percent  float64
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.bench, "bench", ".", "the benchmarks, as go test takes them")
	flags.StringVar(&o.baseline, "baseline", "deploy/bench/baseline.txt", "the file that allocations are compared with")
	flags.BoolVar(&o.write, "write", false, "write the baseline instead of comparing with it")
	flags.BoolVar(&o.quick, "quick", false, "compare allocations only")
	flags.StringVar(&o.base, "base", "", "the revision that times are compared with; default: HEAD, or the one before it when nothing is changed")
	flags.IntVar(&o.rounds, "rounds", 11, "how often each side runs, at least 6")
	flags.Float64Var(&o.percent, "percent", 5, "how much slower is a regression")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.packages = flags.Args()
	switch _, err := regexp.Compile(o.bench); {
	case len(o.packages) == 0:
		return o, errors.New("name the packages whose benchmarks are to run, such as ./ingress")
	case err != nil:
		return o, fmt.Errorf("-bench: %w", err)
	case o.rounds < leastRounds:
		return o, fmt.Errorf("-rounds: fewer than %d cannot tell a regression from noise", leastRounds)
	}
	return o, nil
}

func run(ctx context.Context, root string, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	o.root, o.baseline = root, filepath.Join(root, o.baseline)
	folder, err := os.MkdirTemp("", "holdfast-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	here, err := build(ctx, tree{root: root, programs: filepath.Join(folder, "here")}, o.packages)
	if err != nil {
		return err
	}
	if o.write {
		return write(ctx, out, here, o)
	}
	larger, err := compareAllocations(ctx, out, here, o)
	if err != nil || o.quick {
		return errors.Join(err, larger)
	}
	slower, err := compareTimes(ctx, out, folder, here, o)
	return errors.Join(err, larger, slower)
}

// revision is the commit that times are compared with, and its short form.
func revision(ctx context.Context, root, base string) (string, error) {
	if base == "" {
		base = "HEAD"
		changed, err := git(ctx, root, "status", "--porcelain", "--untracked-files=no")
		if err != nil {
			return "", err
		}
		if changed == "" {
			base = "HEAD~1"
		}
	}
	commit, err := git(ctx, root, "rev-parse", "--short", "--verify", "--quiet", "--end-of-options", base+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("there is no revision %s to compare times with: name one with BASE", strings.TrimSpace(base))
	}
	return commit, nil
}
