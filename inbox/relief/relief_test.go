package relief_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/relief"
)

func TestModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []relief.Mode{relief.Off, relief.Auto, relief.Always} {
		require.NoError(t, mode.Validate())
	}
	require.EqualError(t, relief.Mode("on").Validate(), `"on" is none of off, auto and always`)
}

func TestWindow(t *testing.T) {
	t.Parallel()
	now := time.Now()
	late := now.Add(relief.Patience)

	t.Run("Off", func(t *testing.T) {
		t.Parallel()
		for _, w := range []*relief.Window{nil, {}, relief.NewWindow(relief.Off)} {
			w.Waited("redo/r1", now, now.Add(time.Hour))
			require.True(t, w.Off())
			require.False(t, w.Open(now.Add(time.Hour)))
			require.False(t, w.OpenTo("redo/r1", now.Add(time.Hour)))
		}
	})

	t.Run("Always", func(t *testing.T) {
		t.Parallel()
		w := relief.NewWindow(relief.Always)
		require.True(t, w.Open(now))
		require.True(t, w.OpenTo("redo/r1", now))
		require.Equal(t, now, w.Before(now))
	})

	t.Run("AutoOpensWhenASubjectHasWaitedTooLong", func(t *testing.T) {
		t.Parallel()
		w := relief.NewWindow(relief.Auto)
		w.Waited("redo/r1", now, late.Add(-1))
		require.False(t, w.Open(late))
		require.Equal(t, now, w.Before(late), "only who waits too long is taken")
		w.Waited("redo/r1", now, late)
		require.True(t, w.Open(late))
		require.Equal(t, late, w.Before(late), "then everybody is")
		require.True(t, w.OpenTo("redo/r2", late))
		require.True(t, w.OpenTo("redo", late))
		require.False(t, w.OpenTo("redox/r1", late), "has no crowd")
	})

	t.Run("AutoClosesWhenNobodyWaitsAnyMore", func(t *testing.T) {
		t.Parallel()
		w := relief.NewWindow(relief.Auto)
		w.Waited("redo/r1", now, late)
		require.True(t, w.Open(late.Add(time.Second)))
		require.False(t, w.Open(late.Add(time.Minute)))
	})
}
