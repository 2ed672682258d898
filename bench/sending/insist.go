package sending

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// The wait before a webhook is sent again doubles from first to most. Each is
	// shortened at random by up to half, so that senders do not come back together.
	firstWait = 250 * time.Millisecond
	// mostWait is also the longest that a sender lets itself be asked to wait: it is
	// an eager one.
	mostWait = 3 * time.Second
)

// Insist calls attempt until it is done or ctx ends, later and later, and not before
// the time that it returns.
func Insist(ctx context.Context, attempt func(try int) (done bool, floor time.Duration)) {
	wait := firstWait
	for try := 0; ; try++ {
		done, floor := attempt(try)
		if done {
			return
		}
		pause := wait/2 + time.Duration(rand.Int64N(int64(wait/2)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(pause, min(floor, mostWait))):
		}
		wait = min(2*wait, mostWait)
	}
}
