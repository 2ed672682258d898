package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// Room for two: a second signal must not be lost while the first is handled.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(supervise(os.Stderr, signals, func(ctx context.Context) error {
		return run(ctx, os.Args[1:])
	}))
}

// run carries out one command line.
func run(ctx context.Context, args []string) error {
	root := rootCommand(os.LookupEnv)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// exitInterrupted is what a shell reports for a program that Ctrl-C ended.
const exitInterrupted = 130

// supervise runs work until it returns and says which status to exit with. The
// first signal cancels the context and lets work finish; the second does not wait.
func supervise(stderr io.Writer, signals <-chan os.Signal, work func(context.Context) error) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()

	interrupted := false
	for {
		select {
		case err := <-done:
			return report(stderr, err, interrupted)
		case s := <-signals:
			if interrupted {
				fmt.Fprintf(stderr, "holdfast: second %v, stopping at once without finishing what is in flight\n", s)
				return exitInterrupted
			}
			interrupted = true
			fmt.Fprintf(stderr, "holdfast: %v, finishing what is in flight (once more to stop at once)\n", s)
			cancel()
		}
	}
}

// report prints a command's error, once, and returns the exit status.
func report(stderr io.Writer, err error, interrupted bool) int {
	switch {
	case err == nil:
		return 0
	case interrupted && errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		fmt.Fprintf(stderr, "holdfast: %v\n", err)
		return 1
	}
}
