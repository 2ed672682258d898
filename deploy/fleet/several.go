package fleet

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Workers are those of now: a deployment replaces them.
func (f *Fleet) Workers() []*Holdfast {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.workers)
}

func (f *Fleet) nextWorker() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.named++
	return f.named
}

func (f *Fleet) addWorkers(more []*Holdfast) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.workers = append(f.workers, more...)
}

func (f *Fleet) dropWorkers(old []*Holdfast) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.workers = slices.DeleteFunc(f.workers, func(h *Holdfast) bool { return slices.Contains(old, h) })
}

// startAll starts processes side by side.
func startAll(ctx context.Context, all []*Holdfast) error {
	for _, h := range all {
		if err := h.launch(); err != nil {
			return err
		}
	}
	for _, h := range all {
		if err := h.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stopAll stops processes side by side.
func stopAll(ctx context.Context, all []*Holdfast) error {
	problems := make([]error, len(all))
	var stopping sync.WaitGroup
	for i, h := range all {
		stopping.Go(func() { problems[i] = h.Stop(ctx) })
	}
	stopping.Wait()
	return errors.Join(problems...)
}
