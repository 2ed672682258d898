package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// The test binary runs itself as a child that does one of these.
const (
	childVariable = "HOLDFAST_SQLITE_TEST_CHILD"
	childAppends  = "appends"
	childFullDisk = "full disk"
)

// runChild does what a child is told and tells whether it was one.
func runChild() bool {
	var err error
	switch os.Getenv(childVariable) {
	case childAppends:
		err = appendUntilKilled(os.Args[len(os.Args)-2], os.Args[len(os.Args)-1])
	case childFullDisk:
		err = fillTheDisk(os.Args[len(os.Args)-1])
	default:
		return false
	}
	if err != nil {
		fmt.Println("error", err)
	}
	return true
}

// child starts a child and returns its output, line by line.
func child(t *testing.T, what string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), childVariable+"="+what)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	return command, bufio.NewScanner(out)
}

// childSubjects are so many that the writer gathers their operations.
const childSubjects = 32

// appendUntilKilled appends to some subjects and settles some of their events,
// and prints what was acknowledged.
func appendUntilKilled(path, round string) error {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(words ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(words...)
	}
	var group errgroup.Group
	for i := range childSubjects {
		subject := "redo/" + strconv.Itoa(i)
		group.Go(func() error {
			epoch := int64(0)
			for j := range math.MaxInt {
				key := fmt.Sprintf("%s-%d-%d", round, i, j)
				r, err := appendOne(ctx, store, subject, key, []byte(key))
				if err != nil {
					return err
				}
				say("appended", r.Sequence, subject, key)
				if epoch == 0 {
					if epoch, err = claim(ctx, store, subject); err != nil {
						return err
					}
				}
				if j%3 == 0 {
					if err := settle(ctx, store, subject, epoch, r.Sequence); err != nil {
						return err
					}
					say("settled", r.Sequence)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// fillTheDisk appends until no file may grow any further, and goes on when it may again.
func fillTheDisk(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	ctx := context.Background()
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	body := make([]byte, 10_000)
	if _, err := appendOne(ctx, store, "redo/a", "first", body); err != nil {
		return err
	}
	info, err := os.Stat(path + "-wal")
	if err != nil {
		return err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	full := unix.Rlimit{Cur: uint64(info.Size()) + 200_000, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	stored := 0
	var failure error
	for failure == nil && stored < 1000 {
		if _, failure = appendOne(ctx, store, "redo/a", keyOf(stored), body); failure == nil {
			stored++
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	fmt.Printf("stored %d\n", stored)
	fmt.Printf("failure %v\n", failure)
	r, err := appendOne(ctx, store, "redo/a", keyOf(stored), body)
	fmt.Printf("afterwards %v %v\n", r.Duplicate, err)
	view, err := store.Subject(ctx, "redo/a")
	fmt.Printf("pending %d %v\n", view.Pending, errors.Join(err, store.Ping(ctx)))
	return store.Close()
}
