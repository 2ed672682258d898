package fleet

import (
	"os/exec"
	"runtime"
)

// spawner starts processes that die with this one. Linux sends the signal for that
// when the thread that started them ends, not the process: so all of them start
// from one thread, which lasts as long as the spawner.
type spawner struct{ jobs chan func() }

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

// start starts a command in a process group of its own: a Ctrl-C in a terminal does
// not reach it, and a signal to the group reaches all that it starts.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = groupLeader()
	started := make(chan error)
	s.jobs <- func() { started <- cmd.Start() }
	return <-started
}

func (s *spawner) close() { close(s.jobs) }
