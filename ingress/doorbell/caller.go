package doorbell

import "context"

// run is one caller.
func (r *Ringer) run(freshOnly bool) {
	for {
		next := r.next(freshOnly)
		if next == nil {
			return
		}
		ctx, cancel := context.WithTimeout(r.calls, callTimeout)
		err := r.call(ctx, next.subject, next.telling)
		cancel()
		r.finish(next, err)
	}
}

// next waits for a ring to carry, and returns nil when there is no more.
func (r *Ringer) next(freshOnly bool) *ring {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.calls.Err() != nil {
			return nil
		}
		if found := r.pick(freshOnly); found != nil {
			found.calling = true
			found.telling, found.tell = found.tell, false
			return found
		}
		if r.closing && len(r.fresh.turns) == 0 {
			return nil
		}
		r.work.Wait()
	}
}

func (r *Ringer) pick(freshOnly bool) *ring {
	if !freshOnly || r.closing {
		if found := r.again.pop(func(string) bool { return true }); found != nil {
			return found
		}
	}
	found := r.fresh.pop(func(source string) bool { return r.calling[source] < r.share })
	if found != nil {
		found.first = true
		r.calling[sourceOf(found.subject)]++
	}
	return found
}

// yield lets the next fresh ring of a source have its call.
func (r *Ringer) yield(source string) {
	if r.calling[source]--; r.calling[source] == 0 {
		delete(r.calling, source)
	}
	r.work.Broadcast() // also to a caller that waits for the last ones when closing
}
