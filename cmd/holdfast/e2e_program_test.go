package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// patience is for what happens at once on an idle machine.
	patience = 2 * time.Minute
	// glance is how often it is looked for.
	glance = 20 * time.Millisecond
)

// program is the real holdfast as a child, which can be started again and again.
// All its runs print to one file.
type program struct {
	args []string
	env  map[string]string
	log  string

	cmd    *exec.Cmd
	leash  io.Closer
	exited chan struct{}
	from   int64 // where the log of this run begins
}

// newProgram makes one with an environment of its own.
func newProgram(t *testing.T, dir string, env map[string]string, args ...string) *program {
	t.Helper()
	p := &program{args: args, log: filepath.Join(dir, "output.log"), env: map[string]string{
		actAsMain: "1", "PATH": os.Getenv("PATH"), "HOME": dir, "USER": "kim",
	}}
	maps.Copy(p.env, env)
	t.Cleanup(func() {
		p.kill(t)
		if t.Failed() {
			t.Logf("the end of what holdfast %v printed:\n%s", args, tail(p.printed(t), 4000))
		}
	})
	return p
}

// start runs it in a process group of its own.
func (p *program) start(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	output, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer output.Close()
	p.from, err = output.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	end, leash, err := os.Pipe()
	require.NoError(t, err)
	defer end.Close()

	p.cmd = exec.Command(self, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.ExtraFiles = []*os.File{end}
	if len(p.args) > 0 && p.args[0] == "guard" {
		p.cmd.Stdin = end
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for name, value := range p.env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	require.NoError(t, p.cmd.Start())
	p.leash, p.exited = leash, make(chan struct{})
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait()
	}()
}

// kill ends its whole group with SIGKILL, if it still runs.
func (p *program) kill(t *testing.T) {
	t.Helper()
	p.end(t, func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
}

// stop asks it to end and returns its exit status.
func (p *program) stop(t *testing.T, s syscall.Signal) int {
	t.Helper()
	p.end(t, func() { require.NoError(t, p.cmd.Process.Signal(s)) })
	return p.cmd.ProcessState.ExitCode()
}

// wait returns its exit status when it ends by itself.
func (p *program) wait(t *testing.T) int {
	t.Helper()
	p.end(t, func() {})
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) end(t *testing.T, signal func()) {
	t.Helper()
	if p.exited == nil {
		return
	}
	signal()
	select {
	case <-p.exited:
		_ = p.leash.Close()
		p.exited = nil
	case <-time.After(patience):
		require.Fail(t, "it does not end", "holdfast %v", p.args)
	}
}

// printed is what all its runs have printed.
func (p *program) printed(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(p.log)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return content
}

// recent is what the last run has printed.
func (p *program) recent(t *testing.T) []byte {
	t.Helper()
	return p.printed(t)[p.from:]
}

// over tells whether the run has ended.
func (p *program) over() bool { return closed(p.exited) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// until waits for a condition, which may use the test.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-tick.C {
		require.True(t, time.Now().Before(deadline), "waited %v in vain: %s", patience, what)
	}
}

func tail(content []byte, n int) string {
	if len(content) <= n {
		return string(content)
	}
	return fmt.Sprintf("… %d bytes …%s", len(content)-n, bytes.TrimSpace(content[len(content)-n:]))
}
