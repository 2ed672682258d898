package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// childGrace is how long a child may take to end after it was asked to.
const childGrace = 10 * time.Second

// A child lives as long as its standard input is open: the pipe's other end is
// this process, and the kernel closes it however the process dies, kill -9
// included. A guard in between, `holdfast guard`, watches the pipe, because the
// child itself does not.
type child struct {
	guard *exec.Cmd
	leash io.Closer
	done  chan struct{}
	err   error
}

// startChild starts a command that dies with this process. It is in a process
// group of its own: Ctrl-C in a terminal does not reach it before its time.
func startChild(output io.Writer, name string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	guard := exec.Command(self, append([]string{"guard", "--", name}, args...)...) //nolint:gosec,noctx // ourselves; ended by its leash
	guard.Stdout, guard.Stderr = output, output
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := guard.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := guard.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{guard: guard, leash: leash, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = guard.Wait()
	}()
	return c, nil
}

// stop asks the child to end and waits until it has.
func (c *child) stop() {
	_ = c.leash.Close()
	<-c.done
}

// guardCommand is the hidden command that runs a child on a leash.
func guardCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "guard -- COMMAND [ARGUMENT...]",
		Short:  "Run a command that ends when standard input does",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return guard(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args)
		},
	}
}

func guard(ctx context.Context, leash io.Reader, stdout, stderr io.Writer, args []string) error {
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	go func() {
		_, _ = io.Copy(io.Discard, leash)
		cut()
	}()
	command := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // our own process chose it
	command.Stdout, command.Stderr = stdout, stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = childGrace
	err := command.Run()
	if ctx.Err() != nil {
		return nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", args[0], exit)
	}
	return err
}
