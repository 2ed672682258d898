package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	portPatience  = 5 * time.Second // for a server of the run before to let go of its port
	restartPause  = time.Second
	temporalStart = time.Minute // a first start on a slow disk creates its database
)

// devTemporal is the Temporal server that holdfast dev starts: a child, started
// again when it ends by itself.
type devTemporal struct {
	port, uiPort int
	start        bool // else somebody else's server is used

	stop    chan struct{}
	stopped chan struct{}
}

func (t *devTemporal) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(t.port)) }

// open starts the server with its database and its log in dir.
func (t *devTemporal) open(dir string, log *slog.Logger) error {
	cli, err := temporalCLI()
	if err != nil {
		return err
	}
	logFile := filepath.Join(dir, "temporal.log")
	output, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return fmt.Errorf("open the log of Temporal: %w", err)
	}
	if err := t.ready(output); err != nil {
		return errors.Join(err, output.Close())
	}
	args := t.args(dir)
	first, err := startChild(output, cli, args...)
	if err != nil {
		return errors.Join(err, output.Close())
	}
	t.stop, t.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(t.stopped)
		defer output.Close()
		t.keep(first, func() (*child, error) { return startChild(output, cli, args...) }, logFile, log)
	}()
	return nil
}

// keep starts the server again whenever it ends, until close.
func (t *devTemporal) keep(running *child, start func() (*child, error), logFile string, log *slog.Logger) {
	for {
		select {
		case <-t.stop:
			running.stop()
			return
		case <-running.done:
		}
		log.Warn("the Temporal server ended and is started again; webhooks are accepted meanwhile",
			slog.String("log", logFile), slog.Any("error", running.err))
		for started := false; !started; {
			select {
			case <-t.stop:
				return
			case <-time.After(restartPause):
			}
			next, err := start()
			if err != nil {
				log.Error("the Temporal server does not start", slog.Any("error", err))
				continue
			}
			running, started = next, true
		}
	}
}

// close stops the server and waits until it is gone.
func (t *devTemporal) close() {
	if t.stop != nil {
		close(t.stop)
		<-t.stopped
	}
}

// await waits until the process has its worker at Temporal. It returns false if
// ctx ended.
func (t *devTemporal) await(ctx context.Context, p *process) bool {
	for deadline := time.Now().Add(temporalStart); ctx.Err() == nil; {
		err := p.worker.ready(ctx)
		if err == nil {
			return true
		}
		if time.Now().After(deadline) {
			p.log.Error("Temporal is not there yet; webhooks are accepted and will be handled when it is",
				slog.String("address", p.temporal.HostPort), slog.Any("error", err))
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return false
}

// ready waits until no server of a run before is in the way.
func (t *devTemporal) ready(log *os.File) error {
	if err := lockAlive(log); err != nil {
		return err
	}
	for _, port := range []int{t.port, t.uiPort} {
		if err := freePort(port); err != nil {
			return err
		}
	}
	return nil
}

// lockAlive locks the server's log. The server inherits the lock with the file, so
// that it lasts as long as the server: after a kill -9 that is a second or more in
// which its port is free again but its database is not, and two servers over one
// database spoil each other's transactions.
func lockAlive(log *os.File) error {
	for deadline := time.Now().Add(childGrace + portPatience); ; {
		err := syscall.Flock(int(log.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", log.Name(), err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("a Temporal server of a run before still writes to %s: end that one, or choose another --data-dir", log.Name())
		}
		<-time.After(100 * time.Millisecond)
	}
}

// freePort waits a little for a port, and says what to do if it stays taken.
func freePort(port int) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(portPatience); ; {
		l, err := net.Listen("tcp", address) //nolint:noctx // it does not block
		if err == nil {
			return l.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("port %d is in use: choose another with --temporal-port and --temporal-ui-port (make dev ARGS='--temporal-port 7243 --temporal-ui-port 8243'), or set TEMPORAL_ADDRESS to use the Temporal server that is there", port)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// temporalCLI finds the temporal command: in TEMPORAL_CLI, beside this program,
// or on PATH.
func temporalCLI() (string, error) {
	if path := os.Getenv("TEMPORAL_CLI"); path != "" {
		return path, nil
	}
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), "temporal")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath("temporal")
	if err != nil {
		return "", fmt.Errorf("no temporal command on PATH: `make dev` builds one; or set TEMPORAL_CLI to one, or TEMPORAL_ADDRESS to a running server")
	}
	return path, nil
}
