package activities

import (
	"math"
	"sync"
	"time"
)

const (
	// minComebacks is how many subjects a second may ask again for a place that they
	// did not get at a destination that answers nothing. Each that asks costs Temporal
	// a task and the inbox two commits: thousands of subjects, each with its own short
	// wait, took both from everybody else.
	minComebacks = 10

	// A destination that answers is asked again by twice as many as it serves, over
	// about servedSpan, so that no place stays empty while a crowd waits for it.
	comebacksPerServed = 2
	servedSpan         = 5 * time.Second

	// maxComeback bounds how late the last of a crowd learns that its destination is
	// well again.
	maxComeback = 2 * time.Minute
)

// crowd is those who were turned away at a destination and come again one after the
// other. The zero value is empty.
type crowd struct {
	mu     sync.Mutex
	booked time.Time // when the last of them comes
	rate   float64   // answers a second, as of the last one
	last   time.Time // answer
}

// book gives who was turned away a time of its own to come again, as a wait.
func (c *crowd) book(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.booked.Before(now) {
		c.booked = now
	}
	wait := c.booked.Sub(now)
	if wait >= maxComeback {
		return jittered(maxComeback)
	}
	rate := max(minComebacks, comebacksPerServed*c.rateAt(now))
	c.booked = c.booked.Add(time.Duration(float64(time.Second) / rate))
	return wait
}

// served counts an answer.
func (c *crowd) served(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate = c.rateAt(now) + 1/servedSpan.Seconds()
	c.last = now
}

// rateAt is the rate of answers, which fades when there are none.
func (c *crowd) rateAt(now time.Time) float64 {
	return c.rate * math.Exp(-max(0, now.Sub(c.last).Seconds())/servedSpan.Seconds())
}
