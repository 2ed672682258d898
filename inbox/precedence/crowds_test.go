package precedence_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/precedence"
)

func TestWhoCrowds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := precedence.NewDoor(&disk{commit: 40 * time.Millisecond})
		require.False(t, door.Crowds("redo"), "nobody has come yet")
		stopCrowd := crowd(door, "redo", many())
		stopCalm := crowd(door, "redox", 1) // 25 a second
		<-time.After(5 * time.Second)
		require.True(t, door.Crowds("redo"))
		require.False(t, door.Crowds("redox"), "it is in the same crowd")
		<-time.After(time.Minute)
		require.False(t, door.Crowds("redo"), "it is the load")
		stopCrowd()
		<-time.After(10 * time.Second)

		stopCrowd = crowd(door, "redo", many())
		<-time.After(time.Second)
		require.True(t, door.Crowds("redo"))
		stopCrowd()
		stopCalm()
		<-time.After(100 * time.Millisecond)
		require.False(t, door.Crowds("redo"), "the crowd is over")

		stopCrowd = crowd(door, "redeam", many())
		<-time.After(2 * time.Second)
		require.False(t, door.Crowds("redo"), "another's crowd")
		stopCrowd()
	})
}
