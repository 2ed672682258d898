package precedence_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/precedence"
)

// disk is an inbox whose commits take a time; none: they hang until their context ends.
type disk struct {
	commit time.Duration
	broken error
}

func (d *disk) Append(ctx context.Context, delivery inbox.Delivery) ([]inbox.Receipt, error) {
	var done <-chan time.Time
	if d.commit > 0 {
		done = time.After(d.commit)
	}
	select {
	case <-done:
		return make([]inbox.Receipt, len(delivery.Events)), d.broken
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// crowd sends one webhook of a source after the other through so many connections, and
// returns what stops it and counts those that were accepted.
func crowd(door *precedence.Door, source string, connections int) (stop func() (accepted int)) {
	stop = repeat(connections, func(ctx context.Context) bool {
		_, err := door.Append(ctx, inbox.Delivery{Events: []inbox.NewEvent{{Source: source}}})
		return err == nil
	})
	<-time.After(time.Millisecond)
	return stop
}

// drain begins one event of a source after the other through so many drains, and
// returns what stops it and counts those that were begun.
func drain(door *precedence.Door, source string, drains int) (stop func() (begun int)) {
	return repeat(drains, func(ctx context.Context) bool {
		if door.Await(ctx, source); ctx.Err() != nil {
			return false
		}
		<-time.After(time.Millisecond)
		return true
	})
}

// repeat does something over and over, so many times at once, and returns what stops it
// and counts how often it was done.
func repeat(at int, once func(context.Context) bool) (stop func() (done int)) {
	ctx, cancel := context.WithCancel(context.Background())
	var done atomic.Int64
	var all sync.WaitGroup
	for range at {
		all.Go(func() {
			for ctx.Err() == nil {
				if once(ctx) {
					done.Add(1)
				}
			}
		})
	}
	return func() int { cancel(); all.Wait(); return int(done.Load()) }
}

func many() int { return 32 * runtime.GOMAXPROCS(0) }

func TestACrowdingSourceHasItsShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: 10 * time.Millisecond})
		stopCrowd := crowd(door, "redo", many())
		stopDrains := drain(door, "redo", many())
		<-time.After(10 * time.Second)
		begun := stopDrains()
		accepted := stopCrowd()
		// An eighth of what is accepted, and what a calm source may have.
		require.InEpsilon(t, accepted/8+10*200, begun, 0.05)
	})
}

// TestOneBusySubjectHasTheShareOfItsSource: what one commit accepts is begun by one drain.
func TestOneBusySubjectHasTheShareOfItsSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: 45 * time.Millisecond})
		stopCrowd, stopDrain := crowd(door, "redo", 8*many()), drain(door, "redo", 1)
		<-time.After(10 * time.Second)
		begun := stopDrain()
		stopCrowd()
		require.Greater(t, begun, 9_000, "as many as one drain can")
	})
}

// TestTheDrainsKeepUpWithACrowdThatStays: a steady load before a slow disk.
func TestTheDrainsKeepUpWithACrowdThatStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: 50 * time.Millisecond})
		stopCrowd, stopDrains := crowd(door, "redo", many()), drain(door, "redo", many()/4)
		<-time.After(2 * time.Minute)
		begunSoFar := stopDrains()
		acceptedSoFar := stopCrowd()
		require.Greater(t, acceptedSoFar, begunSoFar, "a crowd goes first")

		stopCrowd, stopDrains = crowd(door, "redo", many()), drain(door, "redo", many()/4)
		<-time.After(time.Minute)
		begun := stopDrains()
		require.Greater(t, begun, stopCrowd())
	})
}

func TestASourceThatDoesNotCrowdIsNotTouched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: 10 * time.Millisecond})
		stopCrowd, stopDrains := crowd(door, "redo", many()), drain(door, "redo", many())
		for range 500 {
			<-time.After(10 * time.Millisecond) // 100 a second
			began := time.Now()
			door.Await(t.Context(), "redox")
			require.Zero(t, time.Since(began))
		}
		stopDrains()
		stopCrowd()
	})
}

func TestNobodyWaitsWhenTheCrowdIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: time.Hour})
		stop := crowd(door, "redo", many())
		var waited atomic.Int64
		var all sync.WaitGroup
		began := time.Now()
		for range 100 {
			all.Go(func() {
				door.Await(t.Context(), "redo")
				waited.Store(max(waited.Load(), int64(time.Since(began))))
			})
		}
		stop()
		all.Wait()
		require.Less(t, time.Duration(waited.Load()), 100*time.Millisecond)
		began = time.Now()
		door.Await(t.Context(), "redo")
		require.Zero(t, time.Since(began))
	})
}

// TestACrowdBeforeADiskThatHangs: whoever keeps being refused is there all the time, and
// earns nothing.
func TestACrowdBeforeADiskThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: 10 * time.Millisecond, broken: errors.New("the disk is full")})
		stop := crowd(door, "redo", many())
		for range 20 { // what a calm source may have at once
			door.Await(t.Context(), "redo")
		}
		var all sync.WaitGroup
		began := time.Now()
		for range 1000 {
			all.Go(func() { door.Await(t.Context(), "redo") })
		}
		all.Wait()
		require.InDelta(t, time.Second, time.Since(began), float64(50*time.Millisecond))
		stop()
	})
}

func TestWhoGivesUpTakesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: 10 * time.Millisecond, broken: errors.New("the disk is full")})
		stop := crowd(door, "redo", many())
		for range 20 {
			door.Await(t.Context(), "redo")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { door.Await(ctx, "redo") })
		}
		all.Wait()
		began := time.Now()
		door.Await(t.Context(), "redo")
		require.Less(t, time.Since(began), 30*time.Millisecond, "the next of 200 a second, behind nobody")
		stop()
	})
}

func TestADoorWithoutACrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		door := precedence.NewDoor(&disk{commit: time.Millisecond})
		stop := crowd(door, "redo", 2)
		began := time.Now()
		for range 1000 {
			door.Await(t.Context(), "redo")
			(*precedence.Door)(nil).Await(t.Context(), "redo")
		}
		require.Zero(t, time.Since(began))
		stop()
		receipts, err := door.Append(t.Context(), inbox.Delivery{Events: make([]inbox.NewEvent, 3)})
		require.NoError(t, err)
		require.Len(t, receipts, 3)
		_, err = precedence.NewDoor(&disk{commit: 1, broken: broken}).Append(t.Context(), inbox.Delivery{})
		require.ErrorIs(t, err, broken)
	})
}
