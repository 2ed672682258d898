// Command up runs a fleet as plain processes until Ctrl-C: PostgreSQL, a Temporal
// server, two ingresses behind a load balancer, and two workers. `make fleet` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	dataDir := flags.String("data-dir", "./data", "`folder` of the secrets, and of what the fleet keeps, in its folder fleet")
	routes := flags.String("routes", "*=log:", "HOLDFAST_ROUTES of the workers: where events go")
	ingresses := flags.Int("ingresses", 2, "`number` of ingresses")
	workers := flags.Int("workers", 2, "`number` of workers")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil // it has been printed
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no flag: -h lists them", flags.Arg(0))
	case *ingresses < 1 || *workers < 1:
		return errors.New("a fleet has at least one ingress and one worker")
	}
	root, err := fleet.Checkout(".")
	if err != nil {
		return err
	}
	dir, err := prepare(*dataDir)
	if err != nil {
		return err
	}
	secrets, err := fleet.ThrowAwaySecrets(*dataDir)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Building what is missing, and starting the fleet. The first start takes some minutes.")
	programs, err := fleet.Build(ctx, root, filepath.Join(root, "bin"))
	if err != nil {
		return err
	}
	if programs.TemporalUI, err = fleet.BuildUI(ctx, root); err != nil {
		return err
	}
	f, err := fleet.Start(ctx, fleet.Options{
		Root: root, Programs: programs, Dir: dir, Ingresses: *ingresses, Workers: *workers,
		Secrets: secrets, Routes: func(string) string { return *routes }, Port: port,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	greet(out, f, dir, *dataDir)
	<-ctx.Done()
	fmt.Fprintln(out, "Stopping: load balancer, ingresses, workers, Temporal, PostgreSQL.")
	return f.Close()
}

// prepare makes the fleet's folder. The processes of PostgreSQL must get through to
// their own, as another user if we are root; what else is there is closed to others
// by its own mode.
func prepare(dataDir string) (string, error) {
	dir, err := filepath.Abs(filepath.Join(dataDir, "fleet"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if os.Geteuid() != 0 {
		return dir, nil
	}
	for _, folder := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(folder, 0o711); err != nil { //nolint:gosec // see above
			return "", err
		}
	}
	return dir, nil
}
