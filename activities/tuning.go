package activities

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/worker"
)

// Tuning are the settings of how much one worker takes on at once, under the
// prefix HOLDFAST. Their defaults suit from two to some dozens of cores: what runs
// out first is what destinations and the inbox bear.
type Tuning struct {
	ConcurrentDrains     int `split_words:"true" default:"1000" desc:"subjects that one worker drains at once; more wait in Temporal until one is done"`
	ConcurrentRecoveries int `split_words:"true" default:"1000" desc:"events that have failed before and that one worker attempts at once"`
	MaxPollers           int `split_words:"true" default:"20" desc:"calls in which one worker waits for work of each kind at Temporal, at most; it begins with a few and follows the load"`
	CachedRuns           int `split_words:"true" default:"5000" desc:"running workflows that one worker keeps in memory, some 50 KB each; of others it reads the history again"`
}

// minConcurrentDrains leaves room for both kinds of workflow task, those of runs
// that the worker has in its cache and those of others: the SDK polls for them apart,
// each poll with a slot in hand.
const minConcurrentDrains = 4

// Validate reports every bad setting at once, by environment name.
func (t Tuning) Validate() error {
	var problems []error
	for _, s := range []struct {
		name         string
		value, least int
	}{
		{"CONCURRENT_DRAINS", t.ConcurrentDrains, minConcurrentDrains},
		{"CONCURRENT_RECOVERIES", t.ConcurrentRecoveries, 1},
		{"MAX_POLLERS", t.MaxPollers, 2},
		{"CACHED_RUNS", t.CachedRuns, 0},
	} {
		if s.value < s.least {
			problems = append(problems, fmt.Errorf("HOLDFAST_%s: %d is less than %d", s.name, s.value, s.least))
		}
	}
	return errors.Join(problems...)
}

// Options returns what a worker is made with. The cache of runs is the process's
// and not a worker's: worker.SetStickyWorkflowCacheSize sets it.
func (t Tuning) Options() worker.Options {
	pollers := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: min(5, t.MaxPollers), MaximumNumberOfPollers: t.MaxPollers,
	})
	return worker.Options{
		// A drain is one local activity in one workflow task. Verbs that came through
		// Temporal run in tasks of their own, so neither kind of slot runs out alone.
		MaxConcurrentWorkflowTaskExecutionSize:  t.ConcurrentDrains,
		MaxConcurrentLocalActivityExecutionSize: t.ConcurrentDrains,
		MaxConcurrentActivityExecutionSize:      t.ConcurrentRecoveries,
		WorkflowTaskPollerBehavior:              pollers,
		ActivityTaskPollerBehavior:              pollers,
	}
}
