package activities

import (
	"context"
	"sync"
)

// visits are the subjects that a drain of this process is at. A claim fences
// whoever had the subject, and would repeat the event that a drain beside it has in
// hand: so there is one at a time.
type visits struct {
	mu sync.Mutex
	at map[string]*visit
}

type visit struct {
	lane bool
	over chan struct{}
}

// begin notes a visit, if there is none. Else it returns the one there is.
func (v *visits) begin(subject string, lane bool) (end func(), other *visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if other = v.at[subject]; other != nil {
		return nil, other
	}
	if v.at == nil {
		v.at = map[string]*visit{}
	}
	mine := &visit{lane: lane, over: make(chan struct{})}
	v.at[subject] = mine
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.at, subject)
		close(mine.over)
	}, nil
}

// enter begins a workflow's visit. The relief lane's is waited for: it is short, and
// what it leaves is a workflow's.
func (v *visits) enter(ctx context.Context, subject string) (end func(), ok bool) {
	for {
		end, other := v.begin(subject, false)
		switch {
		case other == nil:
			return end, true
		case !other.lane:
			return nil, false
		}
		select {
		case <-other.over:
		case <-ctx.Done():
			return nil, false
		}
	}
}
