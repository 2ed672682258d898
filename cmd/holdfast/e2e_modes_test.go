package main

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
)

// reliefModes are those in which every promise is to be kept. What takes long and
// says the same in each is run in those that differ most.
var (
	reliefModes = []relief.Mode{relief.Off, relief.Auto, relief.Always}
	apart       = []relief.Mode{relief.Off, relief.Always}
)

// in adds the mode to settings.
func in(mode relief.Mode, settings map[string]string) map[string]string {
	all := map[string]string{"HOLDFAST_RELIEF": string(mode)}
	maps.Copy(all, settings)
	return all
}

// requireRelieved checks that events went through the relief lane if there is one that
// takes whatever it can. How many depends on the machine: where a subject waits for
// the lane for a second, Temporal is asked too.
func (d *daemon) requireRelieved(t *testing.T, mode relief.Mode) {
	t.Helper()
	relieved, settled := 0, 0
	for _, e := range d.events(t) {
		if e.Run != "" {
			settled++
		}
		if inbox.IsRelief(e.Run) {
			relieved++
		}
	}
	t.Logf("%d of %d events went through the relief lane", relieved, settled)
	switch mode {
	case relief.Off:
		require.Zero(t, relieved)
	case relief.Always:
		require.Greater(t, relieved, settled/10)
	}
}
