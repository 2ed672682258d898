package postgrestest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Stop ends the server in good order, without waiting for its clients
// (pg_ctl stop -m fast). A frozen one is thawed.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(syscall.SIGINT)
	return nil
}

// Crash ends the server without writing anything more (pg_ctl stop -m immediate):
// its next start recovers from the log.
func (s *Server) Crash() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(syscall.SIGQUIT)
	return nil
}

func (s *Server) stop(how syscall.Signal) {
	if s.keeper == nil {
		return
	}
	for _, pid := range s.pids() {
		_ = syscall.Kill(pid, syscall.SIGCONT) // a frozen child would keep it from ending
	}
	s.keeper.end(how)
	s.keeper = nil
}

// Close stops the server and removes what is temporary. Closing twice does no harm.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(syscall.SIGQUIT)
	if s.temporary {
		return os.RemoveAll(s.dir)
	}
	return nil
}

// PIDs returns the postmaster and its children, for whoever freezes or kills them.
// It is empty when the server is stopped.
func (s *Server) PIDs() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pids()
}

func (s *Server) pids() []int {
	if s.keeper == nil || !s.keeper.running() {
		return nil
	}
	pids := []int{s.keeper.pid}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && parent(path) == s.keeper.pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parent reads a process's parent from its stat, whose second field, the name in
// brackets, may have spaces in it.
func parent(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0 // it has ended
	}
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	pid, _ := strconv.Atoi(fields[1])
	return pid
}
