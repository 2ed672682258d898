package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// stopPatience is more than the longest that a holdfast without events in hand takes.
const stopPatience = time.Minute

// child is a process that lives as long as this one, however that ends: `holdfast
// guard` holds it on a pipe.
type child struct {
	name  string
	guard *exec.Cmd
	leash io.Closer
	done  chan struct{}
}

// start starts a program with settings of its own. What it prints goes to a file.
func (s *site) start(name string, settings map[string]string, args ...string) (*child, error) {
	output, err := os.OpenFile(filepath.Join(s.dir, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in a folder of our own
	if err != nil {
		return nil, err
	}
	defer output.Close()                                                           // the process has a descriptor of its own
	guard := exec.Command(s.holdfast, append([]string{"guard", "--"}, args...)...) //nolint:gosec,noctx // the user names it; its leash ends it
	guard.Stdout, guard.Stderr = output, output
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for us
	guard.Env = []string{"HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}
	for _, setting := range slices.Sorted(maps.Keys(settings)) {
		guard.Env = append(guard.Env, setting+"="+settings[setting])
	}
	leash, err := guard.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := guard.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, guard: guard, leash: leash, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		_ = guard.Wait()
	}()
	return c, nil
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// stop asks the process to end and waits until it has.
func (c *child) stop() error {
	if c.ended() {
		return fmt.Errorf("%s has ended by itself", c.name)
	}
	_ = c.leash.Close()
	select {
	case <-c.done:
		return nil
	case <-time.After(stopPatience):
		_ = syscall.Kill(-c.guard.Process.Pid, syscall.SIGKILL)
		<-c.done
		return fmt.Errorf("%s did not end within %v", c.name, stopPatience)
	}
}
