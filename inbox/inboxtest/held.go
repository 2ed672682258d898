package inboxtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

// testHeld is about who is told apart from those whom the relief lane has taken: it
// may not take them.
func testHeld(t *testing.T, open Opener) {
	t.Helper()
	t.Run("WhoeverHoldsIt", func(t *testing.T) {
		b := setup(t, open)
		all := []string{"redo/critical", "redo/well", "redo/paused", "redo/at rest", "redo/in a hand", "redo/nobody"}
		for _, id := range all[:5] {
			b.put(id, 1)
		}
		b.fail(b.claim("redo/critical", at(1)), b.pending("redo/critical")[0], &inbox.Hold{Until: at(30)})
		b.deliverAll("redo/at rest")
		b.claim("redo/in a hand", at(1))
		for _, id := range []string{"redo/paused", "redo/at rest", "redo/in a hand"} {
			b.operate(pauseOf(id, time.Time{}))
		}
		require.Equal(t, []string{"redo/critical", "redo/paused", "redo/in a hand"}, b.held(all...), "with something to do")
		b.append(newEvent("redo/at rest", "another"))
		require.Contains(t, b.held(all...), "redo/at rest")
		for _, id := range []string{"redo/critical", "redo/paused", "redo/at rest", "redo/in a hand"} {
			b.operate(resumeOf(id))
		}
		require.Empty(t, b.held(all...))
	})
	t.Run("UntilAClaimEndsIt", func(t *testing.T) {
		b := setup(t, open)
		b.put("redo/a", 1)
		b.operate(pauseOf("redo/a", at(20)))
		require.Equal(t, []string{"redo/a"}, b.held("redo/a"))
		b.claim("redo/a", at(30))
		require.Empty(t, b.held("redo/a"))
	})
	t.Run("OfAsManyAsAreAskedAbout", func(t *testing.T) {
		b := setup(t, open)
		require.Empty(t, b.held())
		odd := "redo/\x00\xff'?"
		b.put(odd, 1)
		b.operate(pauseOf(odd, time.Time{}))
		var all []string
		for i := range 2500 {
			all = append(all, fmt.Sprintf("redo/nobody-%d", i))
		}
		require.Equal(t, []string{odd}, b.held(append(all, odd)...))
	})
}

func (b box) held(all ...string) []string {
	b.t.Helper()
	held, err := b.Held(b.t.Context(), all)
	require.NoError(b.t, err)
	return held
}
