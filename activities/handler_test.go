package activities_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox"
)

// TestAGoHandler runs Go code as a handler: each of our words, and a panic.
func TestAGoHandler(t *testing.T) {
	t.Parallel()
	for _, mode := range reliefModes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFleetIn(t, mode)
			var seen []activities.Event
			f.handlers = []activities.Handler{{Name: "refund", Handle: func(_ context.Context, e activities.Event) error {
				seen = append(seen, e) // one subject: one at a time
				switch {
				case e.Sequence == 1 && e.Attempt == 1:
					panic("surprise")
				case e.Sequence == 2:
					return activities.Park(context.Canceled)
				}
				return nil
			}}}
			f.config.Routes = []string{"*/return.*=go:refund"}
			f.start()
			subject := f.subject("r1")
			f.accept(subject, 3)
			f.awaitState(subject, inbox.StateIdle)
			require.Equal(t, "delivered parked delivered", f.statuses(subject))
			require.Len(t, seen, 4)
			require.Equal(t, []int{1, 2, 1, 1}, []int{seen[0].Attempt, seen[1].Attempt, seen[2].Attempt, seen[3].Attempt})
			require.Equal(t, seen[0].ID, seen[1].ID)
			require.Equal(t, `{"subject":"`+subject+`"}`, string(seen[0].Body))
		})
	}
}
