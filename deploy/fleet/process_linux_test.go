package fleet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

// TestMain lets the test binary play a process that starts others and is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FLEET_TEST_PARENT"); dir != "" {
		p, _ := fleet.NewProcess("child", filepath.Join(dir, "log"), always, "/bin/sh", "-c", family)
		fmt.Println(p.Start(context.Background()), p.PID())
		select {}
	}
	os.Exit(m.Run())
}

func always(context.Context) error { return nil }

const (
	// family is a process with a child of its own, whose ID it prints.
	family = "sleep 1000 & echo $! ; wait"
	// gentle ends when it is asked to, and says so.
	gentle = `trap 'echo stopped; exit 0' TERM; echo "started $SETTING"; while :; do sleep 0.05; done`
	// stubborn does not.
	stubborn = `trap '' TERM; echo started; while :; do sleep 0.05; done`
)

const patience = time.Minute

// start starts a shell script and returns when it has written something.
func start(t *testing.T, script string) (p *fleet.Process, log func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log")
	log = func() string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(text)
	}
	p, end := fleet.NewProcess("shell", file, func(context.Context) error {
		if text, err := os.ReadFile(file); err != nil || len(text) == 0 {
			return errors.New("it has said nothing")
		}
		return nil
	}, "/bin/sh", "-c", script)
	t.Cleanup(end)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	require.NoError(t, p.Start(t.Context()))
	return p, log
}

// state is a process's in /proc: R, S, T and so on; empty: it is gone.
func state(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return ""
	}
	require.NoError(t, err)
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))[0]
}

func gone(t *testing.T, pid int) bool {
	t.Helper()
	s := state(t, pid)
	return s == "" || s == "Z"
}

func TestAProcessIsStoppedInGoodOrder(t *testing.T) {
	t.Parallel()
	p, log := start(t, gentle)
	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, "started value\nstopped\n", log())
	require.NoError(t, p.Stop(t.Context()), "twice")
	require.NoError(t, p.Start(t.Context()))
	require.NotZero(t, p.PID())
	require.Zero(t, p.Exits())
}

func TestAProcessThatDoesNotStopIsKilled(t *testing.T) {
	t.Parallel()
	p, _ := start(t, stubborn)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, p.Stop(ctx), "it is killed")
	require.Zero(t, p.PID())
}

func TestAKillTakesTheWholeFamily(t *testing.T) {
	t.Parallel()
	p, log := start(t, family)
	child, err := strconv.Atoi(strings.TrimSpace(log()))
	require.NoError(t, err)
	require.NoError(t, p.Kill())
	require.Zero(t, p.PID(), "and it stays down")
	require.Eventually(t, func() bool { return gone(t, child) }, patience, 10*time.Millisecond)
}

func TestAFrozenProcessStandsStillAndGoesOn(t *testing.T) {
	t.Parallel()
	p, log := start(t, family)
	child, err := strconv.Atoi(strings.TrimSpace(log()))
	require.NoError(t, err)
	require.NoError(t, p.Freeze())
	require.Eventually(t, func() bool { return state(t, p.PID()) == "T" && state(t, child) == "T" }, patience, 10*time.Millisecond)
	require.NoError(t, p.Thaw())
	require.Eventually(t, func() bool { return state(t, p.PID()) == "S" && state(t, child) == "S" }, patience, 10*time.Millisecond)
	require.NoError(t, p.Freeze())
	require.NoError(t, p.Kill(), "also when it is frozen")
	require.Error(t, p.Freeze())
}

func TestAProcessThatEndsByItselfIsStartedAgain(t *testing.T) {
	t.Parallel()
	p, _ := start(t, gentle)
	first := p.PID()
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	require.Eventually(t, func() bool { return p.PID() != 0 && p.PID() != first }, patience, 10*time.Millisecond)
	require.Equal(t, 1, p.Exits())
}

func TestAProcessDiesWithTheOneThatStartedIt(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "FLEET_TEST_PARENT="+t.TempDir())
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	said, pid, _ := strings.Cut(strings.TrimSpace(line), " ")
	require.Equal(t, "<nil>", said)
	child, err := strconv.Atoi(pid)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(-child, syscall.SIGSTOP), "frozen, which is the worst")
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	require.Eventually(t, func() bool { return gone(t, child) }, patience, 10*time.Millisecond)
	// What it has started itself is not ours to know; the shell's child is let go here.
	_ = syscall.Kill(-child, syscall.SIGKILL)
}
