package activities

import (
	"context"
	"sync"
	"sync/atomic"
)

// visits are the subjects that a drain of this process is at. A claim fences
// whoever had the subject, and would repeat the event that a drain beside it has in
// hand: so there is one at a time.
type visits struct {
	mu sync.Mutex
	at map[string]*visit
}

type visit struct {
	lane   bool
	wanted atomic.Bool // a workflow's drain waits for its end
	over   chan struct{}
}

// begin notes a visit, if there is none. Else it returns the one there is.
func (v *visits) begin(subject string, lane bool) (mine, other *visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if other = v.at[subject]; other != nil {
		return nil, other
	}
	if v.at == nil {
		v.at = map[string]*visit{}
	}
	mine = &visit{lane: lane, over: make(chan struct{})}
	v.at[subject] = mine
	return mine, nil
}

// end ends the visit at a subject.
func (v *visits) end(subject string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.at[subject].over)
	delete(v.at, subject)
}

// enter begins a workflow's visit. The relief lane's is waited for: it makes way, and
// what it leaves is a workflow's.
func (v *visits) enter(ctx context.Context, subject string) bool {
	for {
		mine, other := v.begin(subject, false)
		if mine != nil {
			return true
		}
		if !other.lane {
			return false
		}
		other.wanted.Store(true)
		select {
		case <-other.over:
		case <-ctx.Done():
			return false
		}
	}
}
