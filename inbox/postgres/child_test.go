package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// childVariable makes the test binary a process of its own that appends and drains
// until it is killed. Its value is the database's URL.
const childVariable = "HOLDFAST_POSTGRES_TEST_CHILD"

// runChild does what a child does and tells whether it was one.
func runChild() bool {
	url := os.Getenv(childVariable)
	if url == "" {
		return false
	}
	ctx := context.Background()
	store, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		fmt.Println("error", err)
		return true
	}
	for i := range math.MaxInt {
		key := fmt.Sprintf("%d-%d", os.Getpid(), i)
		receipt, err := appendOne(ctx, store, "redo/a", key, []byte(key))
		if err != nil {
			continue // it was frozen, or nobody knows
		}
		fmt.Println("appended", receipt.Sequence, key)
		settled, err := drainSome(ctx, store, "redo/a")
		for _, sequence := range settled {
			fmt.Println("settled", sequence)
		}
		if err != nil && !errors.Is(err, inbox.ErrFenced) {
			fmt.Println("lost", strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
	return true
}

// drainSome does what a worker does that was rung, for a few events.
func drainSome(ctx context.Context, store *postgres.Store, subject string) (settled []int64, err error) {
	epoch, err := claim(ctx, store, subject)
	if err != nil || epoch == 0 {
		return nil, err
	}
	entries, err := store.Next(ctx, subject, 3, 1<<20)
	for _, entry := range entries {
		if err = settle(ctx, store, subject, epoch, entry.Sequence); err != nil {
			return settled, err
		}
		settled = append(settled, entry.Sequence)
	}
	return settled, err
}

// child is a process of its own.
type child struct {
	*exec.Cmd
	said chan string // lines
}

func startChild(t *testing.T, url string) *child {
	t.Helper()
	c := &child{Cmd: exec.CommandContext(t.Context(), os.Args[0]), said: make(chan string, 1<<20)}
	c.Env = append(os.Environ(), childVariable+"="+url)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	go func() {
		defer close(c.said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.said <- lines.Text()
		}
	}()
	return c
}

func (c *child) signal(t *testing.T, how syscall.Signal) {
	t.Helper()
	require.NoError(t, c.Process.Signal(how))
}

// hears waits until the child has said so many lines more.
func (c *child) hears(t *testing.T, lines int) (heard []string) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(heard) < lines {
		select {
		case line, ok := <-c.said:
			require.True(t, ok, "the child has ended: %v", heard)
			require.False(t, strings.HasPrefix(line, "error"), line)
			heard = append(heard, line)
		case <-timer.C:
			require.Fail(t, "the child is silent", "%v", heard)
		}
	}
	return heard
}

// A process that freezes, at whatever moment, keeps nobody from its subject for
// long, and one that dies loses nothing that it was told.
func TestAFrozenProcessHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	url := postgrestest.Database(t)
	store := open(t, url, postgres.Options{})
	c := startChild(t, url)
	var heard []string
	for round := range 12 {
		heard = append(heard, c.hears(t, 5+round*3)...)
		c.signal(t, syscall.SIGSTOP)
		receipt, err := appendOne(within(t), store, "redo/a", fmt.Sprintf("mine-%d", round), nil)
		require.NoError(t, err)
		require.False(t, receipt.Duplicate)
		sent := true // a claim, perhaps, just before it froze: PostgreSQL makes it all the same
		for event := (inbox.Event{}); event.Status != inbox.StatusDelivered; {
			_, err := drainSome(within(t), store, "redo/a")
			if sent && errors.Is(err, inbox.ErrFenced) {
				sent = false
				continue
			}
			require.NoError(t, err, "who is frozen fences nobody")
			event, err = store.Event(t.Context(), receipt.Sequence)
			require.NoError(t, err)
		}
		c.signal(t, syscall.SIGCONT)
	}
	heard = append(heard, c.hears(t, 20)...)
	c.signal(t, syscall.SIGKILL)
	for line := range c.said {
		heard = append(heard, line)
	}
	require.Error(t, c.Wait(), "it was killed")

	appended, settled := 0, map[int64]bool{}
	for _, line := range heard {
		var sequence int64
		var key string
		if n, _ := fmt.Sscanf(line, "appended %d %s", &sequence, &key); n == 2 {
			event, err := store.Event(t.Context(), sequence)
			require.NoError(t, err)
			require.Equal(t, key, event.Key)
			appended++
		}
		if n, _ := fmt.Sscanf(line, "settled %d", &sequence); n == 1 {
			require.False(t, settled[sequence], "settled twice")
			settled[sequence] = true
			event, err := store.Event(t.Context(), sequence)
			require.NoError(t, err)
			require.Equal(t, inbox.StatusDelivered, event.Status)
		}
	}
	require.Positive(t, appended)
	require.NotEmpty(t, settled)
	waitFor(t, url, `SELECT s.pending = (SELECT count(*) FROM events e WHERE e.subject = s.number AND e.status = 'pending')
		FROM subjects s WHERE s.id = 'redo/a'`)
}

// A process that freezes between its look and its commit loses its locks, and its
// commit fails when it comes too late.
func TestALateCommitOfAFrozenProcessFails(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	first, err := appendOne(t.Context(), store, "redo/a", "k", nil)
	require.NoError(t, err)
	epoch, err := claim(t.Context(), store, "redo/a")
	require.NoError(t, err)
	commit, err := store.BeginSettle(t.Context(), settlementOf("redo/a", epoch, first.Sequence))
	require.NoError(t, err)
	t.Cleanup(func() { _ = commit() }) // or the store could not be closed
	another, err := claim(within(t), open(t, url, postgres.Options{}), "redo/a")
	require.NoError(t, err, "when the server has taken the frozen one's locks")
	require.Greater(t, another, epoch)
	require.Error(t, commit())
	event, err := store.Event(t.Context(), first.Sequence)
	require.NoError(t, err)
	require.Equal(t, inbox.StatusPending, event.Status)
	require.NoError(t, settle(t.Context(), store, "redo/a", another, first.Sequence))
}
