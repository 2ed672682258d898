package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSuperviseReportsAnErrorOnce(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	status := supervise(&stderr, nil, func(context.Context) error { return errors.New("no such thing") })
	require.Equal(t, 1, status)
	require.Equal(t, "holdfast: no such thing\n", stderr.String())
}

func TestSuperviseIsSilentOnSuccess(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	require.Zero(t, supervise(&stderr, nil, func(context.Context) error { return nil }))
	require.Empty(t, stderr.String())
}

func TestSuperviseFirstSignalLetsWorkFinish(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 1)
	finished := false
	var stderr strings.Builder
	status := supervise(&stderr, signals, func(ctx context.Context) error {
		signals <- syscall.SIGTERM
		<-ctx.Done()
		finished = true
		return nil
	})
	require.Zero(t, status)
	require.True(t, finished)
	require.Equal(t, "holdfast: terminated, finishing what is in flight (once more to stop at once)\n", stderr.String())
}

func TestSuperviseInterruptedWorkIsNoErrorToPrint(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 1)
	var stderr strings.Builder
	status := supervise(&stderr, signals, func(ctx context.Context) error {
		signals <- os.Interrupt
		<-ctx.Done()
		return fmt.Errorf("list events: %w", ctx.Err())
	})
	require.Equal(t, exitInterrupted, status)
	require.NotContains(t, stderr.String(), "canceled")
}

func TestSuperviseSecondSignalDoesNotWait(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 2)
	stuck, stopped := make(chan struct{}), make(chan struct{})
	var stderr strings.Builder
	status := supervise(&stderr, signals, func(ctx context.Context) error {
		defer close(stopped)
		signals <- os.Interrupt
		<-ctx.Done()
		signals <- os.Interrupt
		<-stuck
		return nil
	})
	require.Equal(t, exitInterrupted, status)
	require.Contains(t, stderr.String(), "second interrupt, stopping at once")
	close(stuck)
	<-stopped
}

// result is what a command line did.
type result struct {
	stdout, stderr string
	err            error
}

// noEnvironment has no settings at all.
func noEnvironment(string) (string, bool) { return "", false }

// command runs one command line as a user would, in an environment and with
// nothing kept by `holdfast dev`.
func command(t *testing.T, env environment, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr strings.Builder
	root := rootCommand(env)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	if !strings.Contains(strings.Join(args, " "), "--data-dir") {
		args = append([]string{"--data-dir", t.TempDir()}, args...)
	}
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return result{stdout.String(), stderr.String(), err}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	t.Parallel()
	var check func(path string, args []string)
	check = func(path string, args []string) {
		root := rootCommand(noEnvironment)
		cmd, _, err := root.Find(args)
		require.NoError(t, err)
		if cmd.Hidden {
			return
		}
		require.NotEmpty(t, cmd.Short, path)
		if cmd.HasSubCommands() {
			for _, sub := range cmd.Commands() {
				check(path+" "+sub.Name(), append(args[:len(args):len(args)], sub.Name()))
			}
			return
		}
		require.NotEmpty(t, cmd.Long+cmd.Example, path)
		if cmd.HasAvailableLocalFlags() || strings.Contains(cmd.Use, " ") {
			require.Contains(t, cmd.Example, path, "what takes flags or arguments shows how")
		}
	}
	check("holdfast", nil)
}

func TestUnknownCommandsAndFlagsAreErrors(t *testing.T) {
	t.Parallel()
	r := command(t, noEnvironment, "", "evnts")
	require.ErrorContains(t, r.err, `unknown command "evnts"`)
	r = command(t, noEnvironment, "", "events", "list", "--subjct", "redo/r1")
	require.ErrorContains(t, r.err, "unknown flag: --subjct")
	require.Empty(t, r.stdout, "no usage text pushes the error off the screen")
	r = command(t, noEnvironment, "", "subjects", "prk", "redo/r1")
	require.Error(t, r.err)
}

func TestVersionNamesTheTemporalSDK(t *testing.T) {
	t.Parallel()
	r := command(t, noEnvironment, "", "version")
	require.NoError(t, r.err)
	require.Regexp(t, `^holdfast \S+, Temporal SDK \S+, go1\.\d+\S* \w+/\w+\n$`, r.stdout)
}
