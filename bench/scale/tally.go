package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-project/holdfast/activities"
)

// tally is the destination of what was appended before the process started. It keeps
// one number for each subject, so that what is measured has the memory: a delivery
// whose sequence is not greater than the one before it is repeated or out of order, and
// if there are as many as were appended, with the same sum, they are the same ones.
type tally struct {
	server  *http.Server
	address string
	serving sync.WaitGroup

	mu        sync.Mutex
	last      map[string]int64 // sequence by subject
	events    int
	sequences int64
	wrong     []string
	wrongs    int
	moved     time.Time
	tenths    []time.Time // when each tenth of the expected was there
	expected  int
}

// mostWrong keeps a report short when everything is.
const mostWrong = 10

func newTally(ctx context.Context, expected int) (*tally, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &tally{address: l.Addr().String(), last: map[string]int64{}, expected: expected}
	t.server = &http.Server{Handler: t, ReadHeaderTimeout: time.Minute}
	t.serving.Go(func() { _ = t.server.Serve(l) })
	return t, nil
}

func (t *tally) close() error {
	err := t.server.Close()
	t.serving.Wait()
	return err
}

// ServeHTTP takes a delivery.
func (t *tally) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // its sender died while it sent
	}
	sequence, err := strconv.ParseInt(r.Header.Get(activities.HeaderSequence), 10, 64)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moved = time.Now()
	subject := r.Header.Get(activities.HeaderSubject)
	if before := t.last[subject]; err != nil || sequence <= before {
		if t.wrongs++; t.wrongs <= mostWrong {
			t.wrong = append(t.wrong, fmt.Sprintf("%s: event %d came after event %d", subject, sequence, before))
		}
		return
	}
	t.last[subject] = sequence
	t.events++
	t.sequences += sequence
	if t.events*10 >= (len(t.tenths)+1)*t.expected {
		t.tenths = append(t.tenths, t.moved)
	}
}

// progress is how many are delivered, and when something came last.
func (t *tally) progress() (events int, moved time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.events, t.moved
}

const (
	// deliveryPatience is how long nothing may be delivered before what is missing is
	// lost.
	deliveryPatience = 2 * time.Minute
	deliveryLook     = 20 * time.Millisecond
)

// await waits until all is delivered, or nothing more is.
func (t *tally) await(ctx context.Context) error {
	tick := time.NewTicker(deliveryLook)
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		events, moved := t.progress()
		if moved.Before(began) {
			moved = began
		}
		if events >= t.expected || time.Since(moved) > deliveryPatience {
			return nil
		}
	}
}

// problems compares what was delivered with what was appended.
func (t *tally) problems(p *pending) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.wrong
	if t.wrongs > len(found) {
		found = append(found, fmt.Sprintf("%d events were repeated or out of order", t.wrongs))
	}
	switch events := int(p.events.Load()); {
	case t.events != events:
		found = append(found, fmt.Sprintf("%d of %d events were delivered", t.events, events))
	case t.sequences != p.sequences.Load():
		found = append(found, "other events were delivered than were appended")
	}
	return found
}

// speeds are the events per second in each tenth of them.
func (t *tally) speeds(began time.Time) []float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []float64
	for _, at := range t.tenths {
		all = append(all, round(float64(t.expected)/10/at.Sub(began).Seconds()))
		began = at
	}
	return all
}
