package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-project/holdfast/bench/sending"
)

// Bench is one run. Open makes one, Probe and then Run are called once each, and Close
// ends it.
type Bench struct {
	options Options
	make    *maker
	ledger  *ledger
	sender  *sending.Sender
	server  *http.Server
	address net.Addr
	serving sync.WaitGroup
}

// Open listens for deliveries. The options must be whole: cmd checks what users say.
func Open(ctx context.Context, o Options) (*Bench, error) {
	if shapes[o.Provider] == nil {
		return nil, fmt.Errorf("there is no bench for %s", o.Provider)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for deliveries: %w", err)
	}
	b := &Bench{
		options: o, make: newMaker("bench-"+strings.ToLower(rand.Text()[:8]), o), ledger: &ledger{}, address: l.Addr(),
		sender: sending.New(o.Connections, requestPatience),
	}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: requestPatience}
	b.serving.Go(func() { _ = b.server.Serve(l) })
	return b, nil
}

// Address is where deliveries are listened for.
func (b *Bench) Address() net.Addr { return b.address }

// Close cuts off who is still sending.
func (b *Bench) Close() error {
	err := b.server.Close()
	b.serving.Wait()
	b.sender.Close()
	return err
}

// NotDeliveredError is that an event was accepted and did not come back in time.
type NotDeliveredError struct {
	URL      string
	Sequence int64
	Subject  string // Holdfast's; empty if the answer named none
	// Foreign is how many deliveries came that were no bench's.
	Foreign int
}

// Error says what was waited for.
func (e *NotDeliveredError) Error() string {
	return e.URL + " accepted an event, and it was not delivered here"
}

// Probe sends one event through each URL and waits until all came back. Its errors are
// NotAcceptedError and NotDeliveredError, and that of ctx.
func (b *Bench) Probe(ctx context.Context) error {
	waiting := map[int]*NotDeliveredError{}
	for i, url := range b.options.URLs {
		sample, _, err := b.make.event(probeSubject, i)
		if err != nil {
			return err
		}
		// What is refused for now is told at once: to insist is for when it has worked.
		answer := b.sender.Send(ctx, url, sample)
		if err := ctx.Err(); err != nil {
			return err
		}
		if !answer.Accepted() {
			return &NotAcceptedError{URL: url, Last: answer}
		}
		waiting[i] = &NotDeliveredError{URL: url}
		if len(answer.Receipts) == 1 {
			waiting[i].Sequence, waiting[i].Subject = answer.Receipts[0].Sequence, answer.Receipts[0].Subject
		}
	}
	return b.awaitProbes(ctx, waiting)
}

// awaitProbes waits for the probes that were accepted, by their number.
func (b *Bench) awaitProbes(ctx context.Context, waiting map[int]*NotDeliveredError) error {
	over := time.After(b.options.FirstPatience)
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		foreign := b.ledger.probed(func(n int) { delete(waiting, n) })
		if len(waiting) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-over:
			failed := waiting[slices.Min(slices.Collect(maps.Keys(waiting)))]
			failed.Foreign = foreign
			return failed
		}
	}
}
