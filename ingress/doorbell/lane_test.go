package doorbell_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// lane is an inbox whose relief lane takes subjects as it is told.
type lane struct {
	mu    sync.Mutex
	taken map[string]bool
	all   bool // takes everybody
	held  []string
	fails error
	asked int
	told  int
}

func (l *lane) StillRung(_ context.Context, subjects []string, _, _ time.Time) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked += len(subjects)
	if l.fails != nil {
		return nil, l.fails
	}
	return slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return l.all || l.taken[s] }), nil
}

func (l *lane) Held(_ context.Context, subjects []string) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return !slices.Contains(l.held, s) }), nil
}

func (l *lane) take(subject string, is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken[subject] = is
}

// fail has every question fail with err; nil ends that.
func (l *lane) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = err
}

func newLaneBench(mode relief.Mode, l *lane, answer func(context.Context, string, int) error) *bench {
	l.taken = map[string]bool{}
	return newBench(answer, func(o *doorbell.Options) {
		o.Relief, o.Inbox, o.Left = relief.NewWindow(mode), l, func() { l.told++ }
	})
}
