package main

import (
	"io"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// actAsMain makes the test binary be the real program. Its name is none of our
// settings', which the program would refuse.
const actAsMain = "E2E_ACT_AS_MAIN"

// leashFD is a pipe that the kernel closes when the tests end, however they end.
const leashFD = 3

func TestMain(m *testing.M) {
	if os.Getenv(actAsMain) != "" {
		leash()
		main()
	}
	goleak.VerifyTestMain(postgrestest.Stopping(runner(func() int { return temporaltest.Main(m) })))
}

type runner func() int

func (r runner) Run() int { return r() }

// leash ends this process with the tests. A guard has a leash of its own: it must
// take its child along.
func leash() {
	if len(os.Args) > 1 && os.Args[1] == "guard" {
		return
	}
	syscall.CloseOnExec(leashFD)
	go func() {
		_, _ = io.Copy(io.Discard, os.NewFile(leashFD, "leash"))
		os.Exit(exitInterrupted)
	}()
}
