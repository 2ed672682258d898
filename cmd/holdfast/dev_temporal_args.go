package main

import (
	"path/filepath"
	"strconv"

	"github.com/holdfast-project/holdfast/workflows"
)

// args are what the temporal command is started with: the server of one machine, as
// thin as it can be for many short runs. Its database need not be as safe as the
// inbox, which is the truth: the sweeper repairs what a server has forgotten.
func (t *devTemporal) args(dir string) []string {
	args := []string{
		"server", "start-dev", "--ip", "127.0.0.1", "--port", strconv.Itoa(t.port), "--ui-port", strconv.Itoa(t.uiPort),
		"--db-filename", filepath.Join(dir, "temporal.db"), "--log-level", "warn",
		"--search-attribute", workflows.SearchAttributeSource + "=Keyword",
		"--search-attribute", workflows.SearchAttributeState + "=Keyword",
		// A power cut may cost the last moments, and never the database. The default waits
		// for the disk several times in each of a run's writes.
		"--sqlite-pragma", "journal_mode=wal",
		"--sqlite-pragma", "synchronous=normal",
	}
	for _, value := range []string{
		// The command has the server read the list of search attributes from the database
		// six times for each run, so that a new one works at once. Ours are there before it
		// starts; one that is created while it runs works some seconds later.
		"system.forceSearchAttributesCacheRefreshOnRead=false",
		// What the UI lists is brought up to date twice a second. A run that has completed
		// by then is written there once, as completed, and not before that as running: each
		// writing is a sixth of what a short run costs.
		"history.visibilityProcessorMaxPollRPS=2",
		"history.visibilityTaskBatchSize=1000", // more than come in half a second
	} {
		args = append(args, "--dynamic-config-value", value)
	}
	return args
}
