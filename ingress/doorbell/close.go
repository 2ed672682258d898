package doorbell

import (
	"context"
	"errors"
	"fmt"
)

// Close takes no more rings, tries each that waits once more, also those that the
// relief lane has not taken, and gives up at the end of ctx. Its error says how many
// were left: the sweeper repeats those. It is called once.
func (r *Ringer) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closing = true
	if r.left.ended != nil {
		close(r.left.ended)
	}
	for _, waiting := range r.rings {
		if waiting.timer != nil {
			waiting.timer.Stop()
			waiting.timer = nil
			r.again.push(waiting)
		}
	}
	r.work.Broadcast()
	r.mu.Unlock()

	flushed := make(chan struct{})
	go func() { defer close(flushed); r.done.Wait() }()
	select {
	case <-flushed:
	case <-ctx.Done():
		r.stop()
		<-flushed
	}
	r.stop()
	if left := r.Waiting(); left > 0 {
		return errors.Join(context.Cause(ctx), fmt.Errorf("%d subjects were not rung; the sweeper of the next start rings them", left))
	}
	return nil
}

// stop ends the calls and wakes the callers, under the lock so that none of them
// falls asleep in between.
func (r *Ringer) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel()
	r.work.Broadcast()
}
