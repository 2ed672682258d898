package main

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/holdfast-project/holdfast/bench"
)

// terminal opens a terminal: what is written to one end is seen at the other.
func terminal(t *testing.T) (program, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, person.Close()) })
	require.NoError(t, unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, program.Close()) })
	return program, person
}

func TestBenchShowsABarOnATerminal(t *testing.T) {
	t.Parallel()
	program, person := terminal(t)
	bar := newProgressBar(program)
	bar.watcher()(bench.Progress{Accepted: 5, Fraction: 0.5})
	bar.clear()
	_, err := program.WriteString(".\n")
	require.NoError(t, err)
	seen, err := bufio.NewReader(person).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "\r\x1b[K[############------------]  50%  5 accepted  0 delivered\r\x1b[K.\r\n", seen)
}
