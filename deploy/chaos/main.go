// Command chaos puts a fleet under load while it kills, freezes, cuts off and starves
// its members, and judges by what senders and destination saw whether anything was
// lost, out of order or repeated. `make chaos` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/inbox/relief"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// errFailed means that the verdict, which has been printed, is bad.
var errFailed = errors.New("a promise was broken")

func run(ctx context.Context, args []string, env func(string) string, out io.Writer) error {
	o, folder, err := options(args, env)
	if err != nil {
		return err
	}
	if o.root, err = fleet.Checkout("."); err != nil {
		return err
	}
	if o.dir, err = workFolder(); err != nil {
		return err
	}
	fmt.Fprintf(out, "chaos: seed %d, %s, relief %s, logs in %s\n", o.seed, o.load, o.relief, filepath.Join(o.dir, "logs"))
	if o.programs, err = fleet.Build(ctx, o.root, o.dir); err != nil {
		return err
	}
	o.log = slog.New(slog.NewTextHandler(out, nil))
	ctx, cancel := context.WithTimeoutCause(ctx, o.load+overtime, errors.New("the run took too long"))
	defer cancel()
	figures, err := chaos(ctx, o)
	if err != nil {
		return fmt.Errorf("%w (seed %d, logs in %s)", err, o.seed, o.dir)
	}
	path, err := keep(figures, folder, o.relief)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := figures.Write(out); err != nil {
		return err
	}
	fmt.Fprintf(out, "figures: %s\n", path)
	if !figures.Passed {
		fmt.Fprintf(out, "logs and data: %s\nthe same faults again: CHAOS_SEED=%d CHAOS_RELIEF=%s make %s\n", o.dir, o.seed, o.relief, o.target())
		return errFailed
	}
	return os.RemoveAll(o.dir)
}

// setup is one run.
type setup struct {
	root, dir string
	programs  fleet.Programs
	seed      uint64
	short     bool
	load      time.Duration // at least
	faults    int
	subjects  int
	rate      float64
	relief    relief.Mode // of every ingress and worker
	log       *slog.Logger
}

func (s setup) target() string {
	if s.short {
		return "chaos-short"
	}
	return "chaos"
}

const (
	defaultMinutes = 5
	// The load of a short run, and the rest of it, take two minutes.
	shortLoad = 90 * time.Second
	// overtime bounds all that is not load: it is for a machine that hangs.
	overtime = 15 * time.Minute
)

// options reads flags, with the environment's values as their defaults.
func options(args []string, env func(string) string) (s setup, folder string, err error) {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	minutes := flags.Int("minutes", defaultMinutes, "how long the load lasts, with one fault in each `minute`; or CHAOS_MINUTES")
	flags.Uint64Var(&s.seed, "seed", rand.Uint64N(1_000_000), "what chooses the faults; or CHAOS_SEED")
	flags.BoolVar(&s.short, "short", false, "two minutes, and a fault for each kind of process")
	flags.IntVar(&s.subjects, "subjects", 200, "`number` of subjects")
	flags.Float64Var(&s.rate, "rate", 60, "events per second")
	flags.StringVar(&folder, "out", "data/chaos", "`folder` of the figures")
	mode := flags.String("relief", string(relief.Off), "the `mode` of the relief lane: off, auto or always; or CHAOS_RELIEF")
	for name, variable := range map[string]string{"minutes": "CHAOS_MINUTES", "seed": "CHAOS_SEED", "relief": "CHAOS_RELIEF"} {
		if value := env(variable); value != "" {
			if err := flags.Set(name, value); err != nil {
				return s, "", fmt.Errorf("%s: %q is not a number", variable, value)
			}
		}
	}
	if err := flags.Parse(args); err != nil {
		return s, "", err
	}
	s.relief = relief.Mode(*mode)
	if err := s.relief.Validate(); err != nil {
		return s, "", fmt.Errorf("-relief, or CHAOS_RELIEF: %w", err)
	}
	if *minutes < 1 || s.subjects < 1 || s.rate <= 0 {
		return s, "", errors.New("minutes, subjects and rate must be at least 1")
	}
	s.load, s.faults = time.Duration(*minutes)*time.Minute, *minutes
	if s.short {
		s.load = shortLoad
	}
	return s, folder, nil
}

// workFolder is in the system's temporary folder, where every user gets through:
// PostgreSQL runs as another one if we are root.
func workFolder() (string, error) {
	dir, err := os.MkdirTemp("", "holdfast-chaos-"+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) //nolint:gosec // see above
}
