package main

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
)

// killing is many events sent while something is killed again and again.
type killing struct {
	subjects, each, kills int
}

// run sends the load, and calls kill each time a random number of events has been
// accepted. It returns what was accepted.
func (l killing) run(t *testing.T, s *sender, kill func()) map[string][]ingress.ReceiptJSON {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	total := l.subjects * l.each
	points := make([]int, l.kills)
	for i := range points {
		points[i] = total/20 + random.IntN(total*17/20) // within the load
	}
	slices.Sort(points)
	t.Logf("kills after %v of %d events", points, total)

	var accepted atomic.Int64
	s.answered = func() { accepted.Add(1) }
	type outcome struct {
		receipts map[string][]ingress.ReceiptJSON
		err      error
	}
	sent := make(chan outcome, 1)
	go func() {
		receipts, err := s.all(t.Context(), manySubjects("r", l.subjects), l.each, l.subjects)
		sent <- outcome{receipts, err}
	}()
	for _, point := range points {
		until(t, "the load to go on", func() bool { return accepted.Load() >= int64(point) || len(sent) > 0 })
		kill()
	}
	done := <-sent
	require.NoError(t, done.err)
	return done.receipts
}

func TestE2EKilledProcess(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			source := "killed" + string(mode)
			destination := newRecorder(t, nil)
			d := startDaemon(t, redoSource(source, destination.url, in(mode, nil)))
			l := killing{subjects: 100, each: 20, kills: 3}
			receipts := l.run(t, newSender(t, d, source), func() { d.restart(t) })
			d.settled(t)
			repeats := destination.requireInOrder(t, receipts, l.kills)
			t.Logf("%d deliveries were repeated", repeats)
			d.requireRelieved(t, mode)
		})
	}
}

func TestE2EKilledTemporal(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			temporal := newTemporal(t)
			temporal.program.start(t)
			temporal.await(t)
			destination := newRecorder(t, nil)
			d := startDaemon(t, redoSource("orphan", destination.url, in(mode, map[string]string{"TEMPORAL_ADDRESS": temporal.address})))
			l := killing{subjects: 50, each: 20, kills: 2}
			receipts := l.run(t, newSender(t, d, "orphan"), func() {
				temporal.kill(t)
				temporal.program.start(t)
			})
			d.settled(t)
			destination.requireOnceInOrder(t, receipts)
			d.requireRelieved(t, mode)
		})
	}
}
