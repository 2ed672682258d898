package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// devDaemon is `holdfast dev` in a folder, with a Temporal of its own.
type devDaemon struct {
	*daemon
	data     string
	temporal string // its address
}

// newDev makes one that is not started.
func newDev(t *testing.T, data string, settings map[string]string) *devDaemon {
	t.Helper()
	cli, err := temporaltest.CLI()
	require.NoError(t, err)
	port := freshPort(t)
	all := map[string]string{"TEMPORAL_ADDRESS": "", "TEMPORAL_CLI": cli, "HOLDFAST_INBOX": "", "HOLDFAST_TASK_QUEUE": ""}
	for name, value := range settings {
		all[name] = value
	}
	d := &devDaemon{data: data, temporal: "127.0.0.1:" + port, daemon: newDaemon(t, all,
		"dev", "--data-dir", data, "--temporal-port", port, "--temporal-ui-port", freshPort(t))}
	t.Cleanup(func() {
		if d.exited != nil {
			// Killed, it would leave a Temporal behind that still writes for a moment.
			d.stop(t, syscall.SIGTERM)
		}
	})
	return d
}

func TestE2EDev(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := newDev(t, filepath.Join(t.TempDir(), "data"), map[string]string{"HOLDFAST_ROUTES": "*=" + destination.url})
	d.start(t)
	s := newShell(d.daemon)
	for _, provider := range []string{"redo", "redox", "redeam", "socialboards"} {
		s.do(t, "--data-dir", d.data, "send", provider, "--count", "2")
	}
	d.settled(t)
	require.Equal(t, 8, len(destination.deliveries(""))) //nolint:testifylint // Len prints every body
	printed := string(d.recent(t))
	require.Contains(t, printed, "/webhooks/socialboards")
	require.Contains(t, printed, "Temporal UI")
	secrets, err := os.ReadFile(filepath.Join(d.data, devEnvFile))
	require.NoError(t, err)

	// Ctrl-C while there is something left to do.
	destination.obey(func(delivery) answer {
		return answer{status: http.StatusServiceUnavailable, retryAfter: "3"}
	})
	s.do(t, "--data-dir", d.data, "send", "redo", "--count", "3", "--subject", "r1")
	until(t, "a failure", func() bool { return d.subject(t, "redo/r1").State == "retrying" })
	require.Zero(t, d.stop(t, syscall.SIGINT), "%s", d.recent(t))
	require.False(t, listening(d.temporal), "its Temporal is gone")
	require.Contains(t, string(d.recent(t)), "finishing events in hand")

	destination.obey(nil)
	d.start(t)
	until(t, "the rest", func() bool { return len(destination.done("redo/r1")) == 3 })
	again, err := os.ReadFile(filepath.Join(d.data, devEnvFile))
	require.NoError(t, err)
	require.Equal(t, string(secrets), string(again))
	require.Len(t, d.events(t), 11, "it knows what was before")

	second := newDev(t, d.data, nil)
	second.program.start(t)
	require.Equal(t, 1, second.wait(t))
	require.Contains(t, string(second.recent(t)), "another")
	require.Contains(t, string(second.recent(t)), d.data)
	require.False(t, d.over())
}

func TestE2EDevWithTemporalElsewhere(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := newDev(t, filepath.Join(t.TempDir(), "data"), map[string]string{
		"HOLDFAST_ROUTES": "*=" + destination.url, "TEMPORAL_ADDRESS": temporaltest.Address(t), "HOLDFAST_TASK_QUEUE": t.Name(),
	})
	d.start(t)
	newShell(d.daemon).do(t, "--data-dir", d.data, "send", "socialboards", "--subject", "elsewhere")
	d.settled(t)
	require.Equal(t, 1, len(destination.deliveries(""))) //nolint:testifylint // Len prints every body
	require.False(t, listening(d.temporal), "no child was started")
	_, err := os.Stat(filepath.Join(d.data, "temporal.db"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Zero(t, d.stop(t, syscall.SIGTERM))
}

func TestE2EDevPortInUse(t *testing.T) {
	t.Parallel()
	d := newDev(t, filepath.Join(t.TempDir(), "data"), nil)
	taken, err := net.Listen("tcp", d.temporal)
	require.NoError(t, err)
	defer taken.Close()
	d.program.start(t)
	require.Equal(t, 1, d.wait(t))
	_, port, _ := strings.Cut(d.temporal, ":")
	require.Contains(t, string(d.recent(t)), "port "+port+" is in use: choose another with --temporal-port")
	require.Contains(t, string(d.recent(t)), "make dev ARGS='--temporal-port ")
}

func TestE2EHalvesRefuseSQLite(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"ingress", "worker"} {
		d := newDaemon(t, redoSource("half", "log:", nil), command)
		d.program.start(t)
		require.Equal(t, 1, d.wait(t))
		require.Contains(t, string(d.recent(t)), "HOLDFAST_INBOX: ")
		require.Contains(t, string(d.recent(t)), "which only one process can use: set postgres://…, or run ingress and worker in one, as `holdfast all`")
	}
}

// A Temporal that is slow to end closes its port long before its database.
func TestE2EDevWaitsForTheTemporalBefore(t *testing.T) {
	t.Parallel()
	slow := filepath.Join(t.TempDir(), "temporal")
	require.NoError(t, os.WriteFile(slow, []byte("#!/bin/sh\necho up\ntrap 'sleep 2; echo down; exit 0' TERM\nwhile :; do sleep 0.1; done\n"), 0o700))
	d := newDev(t, filepath.Join(t.TempDir(), "data"), map[string]string{"TEMPORAL_CLI": slow})
	log := filepath.Join(d.data, "temporal.log")
	said := func(what string) func() bool {
		return func() bool {
			content, err := os.ReadFile(log)
			return err == nil && string(content) == what
		}
	}
	d.program.start(t)
	until(t, "the first server", said("up\n"))
	d.kill(t)
	d.program.start(t)
	until(t, "the second server, after the first", said("up\ndown\nup\n"))
}

func TestE2EKilledDev(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := newDev(t, filepath.Join(t.TempDir(), "data"), redoSource("dev", destination.url, nil))
	d.start(t)
	l := killing{subjects: 20, each: 25, kills: 2}
	receipts := l.run(t, newSender(t, d.daemon, "dev"), func() {
		d.kill(t)
		until(t, "its Temporal to be gone too", func() bool { return !listening(d.temporal) })
		d.start(t)
	})
	d.settled(t)
	repeats := destination.requireInOrder(t, receipts, l.kills)
	t.Logf("%d deliveries were repeated", repeats)
	require.Zero(t, d.stop(t, syscall.SIGINT))
	require.False(t, listening(d.temporal))
}
