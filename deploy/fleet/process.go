package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// restartPause is how long a supervisor waits before it starts again what ended.
	restartPause = time.Second
	// readyPatience is for a loaded machine whose disk is slow.
	readyPatience = 2 * time.Minute
	readyLook     = 100 * time.Millisecond
)

// spec is how a process starts. Its environment is settings alone, and what any
// program needs: nothing of ours leaks into the fleet.
type spec struct {
	path     string
	args     []string
	settings map[string]string
	log      string // file
	ready    func(ctx context.Context) error
	before   func() // each start; nil: nothing
}

// Process is a member that is one process, under a supervisor.
type Process struct {
	name    string
	spawner *spawner
	log     *slog.Logger

	mu     sync.Mutex
	spec   spec
	run    *run // nil: it does not run
	wanted bool // false: it was stopped or killed, and stays down
	exits  int
}

// run is one life of a process.
type run struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Name is unique in the fleet, such as ingress-1.
func (p *Process) Name() string { return p.name }

// Log is the file that the process writes to.
func (p *Process) Log() string { return p.spec.log }

// Start starts the process and waits until it is ready.
func (p *Process) Start(ctx context.Context) error {
	if err := p.launch(); err != nil {
		return err
	}
	return p.Ready(ctx)
}

// launch starts the process unless it runs.
func (p *Process) launch() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
	if p.run != nil {
		return nil
	}
	if p.spec.before != nil {
		p.spec.before()
	}
	output, err := os.OpenFile(p.spec.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	defer output.Close()                             // the process has a descriptor of its own
	cmd := exec.Command(p.spec.path, p.spec.args...) //nolint:gosec,noctx // the fleet's own programs; the spawner ends them
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Env = environ(p.spec.settings)
	if err := p.spawner.start(cmd); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.run = &run{cmd: cmd, done: make(chan struct{})}
	go p.watch(p.run)
	return nil
}

// environ is what any program needs, and settings.
func environ(settings map[string]string) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for name, value := range settings {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

// watch waits for the end of a run, and begins another if nobody asked for it.
func (p *Process) watch(r *run) {
	err := r.cmd.Wait()
	p.mu.Lock()
	p.run = nil
	again := p.wanted
	if again {
		p.exits++
	}
	p.mu.Unlock()
	close(r.done)
	if !again {
		return
	}
	p.log.Warn("a process ended by itself and is started again", slog.String("process", p.name), slog.Any("error", err))
	for {
		<-time.After(restartPause)
		p.mu.Lock()
		again = p.wanted && p.run == nil
		p.mu.Unlock()
		if !again {
			return
		}
		if err := p.launch(); err == nil {
			return
		}
	}
}

// Ready waits until the process is ready for work.
func (p *Process) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyPatience, errors.New("no longer waited for"))
	defer cancel()
	for {
		err := p.spec.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (%w); its log is %s", p.name, err, context.Cause(ctx), p.spec.log)
		case <-time.After(readyLook):
		}
	}
}

// end asks the process to end with a signal, for good, and returns its run, nil if
// there is none.
func (p *Process) end(signal syscall.Signal) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = false
	if p.run == nil {
		return nil
	}
	group := -p.run.cmd.Process.Pid
	if signal == syscall.SIGTERM {
		_ = syscall.Kill(p.run.cmd.Process.Pid, signal)
		_ = syscall.Kill(group, syscall.SIGCONT) // a frozen one would never hear of it
	} else {
		_ = syscall.Kill(group, signal)
	}
	return p.run
}

// Stop sends SIGTERM and waits for the end. When ctx ends first, it kills.
func (p *Process) Stop(ctx context.Context) error {
	r := p.end(syscall.SIGTERM)
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop %s: %w: it is killed", p.name, ctx.Err()), p.Kill())
	}
}

// Kill sends SIGKILL to the process and all that it started.
func (p *Process) Kill() error {
	if r := p.end(syscall.SIGKILL); r != nil {
		<-r.done
	}
	return nil
}

// Freeze sends SIGSTOP to the whole group.
func (p *Process) Freeze() error { return p.signal(syscall.SIGSTOP) }

// Thaw sends SIGCONT to the whole group.
func (p *Process) Thaw() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		return fmt.Errorf("%s does not run", p.name)
	}
	return syscall.Kill(-p.run.cmd.Process.Pid, signal)
}

// PID is the process's of now, 0 if it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		return 0
	}
	return p.run.cmd.Process.Pid
}

// Exits tells how often the process ended by itself.
func (p *Process) Exits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exits
}
