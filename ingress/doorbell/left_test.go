package doorbell_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

func (b *bench) rings(n int) {
	for i := range n {
		b.ringer.Ring(fmt.Sprintf("redo/r%d", i))
	}
}

func (b *bench) calls() int {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return len(b.server.calls)
}

func slow(context.Context, string, int) error { <-time.After(50 * time.Millisecond); return nil }

func TestLane(t *testing.T) {
	t.Parallel()
	test := func(name string, mode relief.Mode, answer func(context.Context, string, int) error, body func(*bench, *lane)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &lane{}
				b := newLaneBench(mode, l, answer)
				b.t = t
				body(b, l)
				require.NoError(t, b.close(t, time.Minute))
			})
		})
	}

	test("CalmTrafficIsNotForIt", relief.Auto, nil, func(b *bench, l *lane) {
		for i := range 1000 {
			b.ringer.Ring(fmt.Sprintf("redo/r%d", i))
			<-time.After(10 * time.Millisecond)
		}
		require.Equal(b.t, 1000, b.calls())
		require.Zero(b.t, l.told)
	})

	test("IsOpenToWhoHasACrowd", relief.Auto, slow, func(b *bench, l *lane) {
		l.all = true
		b.rings(1000)
		<-time.After(relief.Patience + time.Millisecond)
		for i := range 20 {
			b.ringer.Ring(fmt.Sprintf("calm/r%d", i))
			<-time.After(60 * time.Millisecond)
			require.Len(b.t, b.server.of(fmt.Sprintf("calm/r%d", i)), 1, "Temporal has the time for it")
		}
	})

	test("TakesWhatTemporalCannotStartInTime", relief.Auto, slow, func(b *bench, l *lane) {
		l.all = true
		b.rings(1000)
		<-time.After(relief.Patience + time.Millisecond)
		b.ringer.Ring("redo/one more")
		<-time.After(5 * time.Second)
		require.Less(b.t, b.calls(), 30, "those that were called before it was known that Temporal is slow")
		require.Equal(b.t, l.asked, l.told)
		require.Greater(b.t, l.told, 970)
		require.Zero(b.t, b.ringer.Waiting())
		require.InDelta(b.t, l.told, metric(b.t, b.registry, "holdfast_rings_total", "relieved"), 0)
	})

	hang := func(ctx context.Context, _ string, nth int) error {
		if nth > 1 {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
	test("OpensWhileCallsHang", relief.Auto, hang,
		func(b *bench, l *lane) {
			l.all = true
			b.rings(10)
			<-time.After(relief.Patience)
			b.ringer.Ring("redo/one more")
			require.Equal(b.t, 11-b.calls(), l.told, "all but those that hang")
			<-time.After(2 * time.Second)
			require.Equal(b.t, b.calls(), b.ringer.Waiting())
			<-time.After(time.Minute)
			require.Zero(b.t, b.ringer.Waiting())
		})

	test("ThatIsNotThereCostsASecond", relief.Always, nil, func(b *bench, l *lane) {
		b.rings(1000)
		synctest.Wait()
		require.Zero(b.t, b.calls())
		<-time.After(2 * time.Second)
		require.Equal(b.t, 1000, b.calls(), "no worker took any")
		b.ringer.Ring("redo/next")
		synctest.Wait()
		require.Len(b.t, b.server.of("redo/next"), 1, "it is not trusted again at once")
		<-time.After(time.Minute)
		b.ringer.Ring("redo/later")
		synctest.Wait()
		require.Empty(b.t, b.server.of("redo/later"), "but it is later")
	})

	test("WithABacklogIsGivenTime", relief.Always, nil, func(b *bench, l *lane) {
		l.take("redo/r0", true)
		b.rings(100)
		<-time.After(1500 * time.Millisecond)
		require.Zero(b.t, b.calls(), "it took one, so it will take the others")
		require.Equal(b.t, 99, b.ringer.Waiting())
		l.all = true
	})

	test("WithACrowdBeforeItIsTrusted", relief.Always, nil, func(b *bench, l *lane) {
		// Ten times as many are rung as it takes, in their order.
		const each = 10 * time.Millisecond
		for i := range 5000 {
			b.ringer.Ring(fmt.Sprintf("redo/r%d", i))
			if i%10 == 0 {
				l.take(fmt.Sprintf("redo/r%d", i/10), true)
				<-time.After(each)
			}
		}
		require.Zero(b.t, b.calls(), "it took some all the time")
		<-time.After(5 * time.Second)
		require.Equal(b.t, 4500, b.calls(), "until it took no more")
		l.all = true
	})

	test("LosesNoRingOfASubjectThatItHasJustDrained", relief.Always, nil, func(b *bench, l *lane) {
		l.take("redo/r0", true)
		b.rings(2)
		<-time.After(900 * time.Millisecond)
		b.ringer.Ring("redo/r0") // an event came after its drain
		l.take("redo/r0", false)
		l.take("redo/r1", true)
		<-time.After(10 * time.Second)
		require.Len(b.t, b.server.of("redo/r0"), 1)
		require.Empty(b.t, b.server.of("redo/r1"))
	})

	test("HasNoSayWhenARunIsToBeStarted", relief.Always, nil, func(b *bench, l *lane) {
		b.rings(2)
		b.ringer.Start("redo/r0")
		b.ringer.Tell("redo/r1")
		b.ringer.Start("redo/r2")
		synctest.Wait()
		require.Equal(b.t, 3, b.calls())
		require.Zero(b.t, b.ringer.Waiting())
	})

	test("LeavesWhoIsHeldToItsRun", relief.Always, nil, func(b *bench, l *lane) {
		l.all, l.held = true, []string{"redo/r1"}
		b.rings(3)
		<-time.After(2 * time.Second)
		require.Len(b.t, b.server.of("redo/r1"), 1, "which shows the hold, and is there when it ends")
		require.Equal(b.t, 1, b.calls())
		b.ringer.Ring("redo/r4")
		<-time.After(2 * time.Second)
		require.Equal(b.t, 1, b.calls(), "and is no reason to distrust the lane")
	})

	test("IsAskedAgainWhenTheInboxWasAway", relief.Always, nil, func(b *bench, l *lane) {
		l.fail(errAway)
		b.rings(3)
		<-time.After(10 * time.Second)
		require.Zero(b.t, b.calls())
		require.Equal(b.t, 3, b.ringer.Waiting())
		l.fail(nil)
		<-time.After(3 * time.Second)
		require.Equal(b.t, 3, b.calls())
	})
}

// TestWhoIsSweptGetsARun: the lane never takes a subject whose event has failed or
// whose hold is over, so that it says of it what it says of one that it has taken.
func TestWhoIsSweptGetsARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newLaneBench(relief.Always, &lane{all: true}, nil)
		s := doorbell.NewSweeper(doorbell.SweeperOptions{
			Config: doorbell.Config{SweepInterval: 30 * time.Second, Retention: 720 * time.Hour}, Bell: b.ringer,
			Inbox: &keeper{lead: true, unrung: []string{"redo/retrying"}}, Registry: b.registry, Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s.Run(ctx)
		require.Len(t, b.server.of("redo/retrying"), 1)
		require.NoError(t, b.close(t, time.Minute))
	})
}

func TestCloseRingsWhatTheLaneHasNotTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lane{}
		b := newLaneBench(relief.Always, l, nil)
		l.take("redo/r0", true)
		b.rings(3)
		synctest.Wait()
		require.NoError(t, b.close(t, time.Minute))
		require.Empty(t, b.server.of("redo/r0"))
		require.Len(t, b.server.of("redo/r1"), 1)
		require.Len(t, b.server.of("redo/r2"), 1)
	})
}
