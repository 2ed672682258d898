package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
)

const (
	// appenders is how many append at once: as many as a busy ingress has senders, so
	// that they share commits.
	appenders = 256
	// fillerType is the type of what is appended here.
	fillerType = "return.updated"
)

// pending is what was appended, to be compared with what is delivered.
type pending struct{ events, sequences atomic.Int64 } // the sum of the sequences

// filler appends events that no sender sent. Its source is none of the ingress's.
type filler struct {
	store   inbox.Accepter
	source  string
	run     string // is part of each subject and key
	pending pending
}

func newFiller(store inbox.Accepter, source string) *filler {
	return &filler{store: store, source: source, run: strings.ToLower(rand.Text()[:8])}
}

// subject is the n-th subject's ID. No two that come after each other stand together
// in an index.
func (f *filler) subject(n int) string { return f.source + "/" + f.digest("subject", n)[:24] }

// digest is as providers' keys are: nothing in it tells which came first.
func (f *filler) digest(what string, n int) string { return digest(f.run+what, n) }

// append appends the n-th event to a subject.
func (f *filler) append(ctx context.Context, n int, subject string) error {
	key := f.digest("key", n)
	receipts, err := f.store.Append(ctx, inbox.Delivery{
		ContentType: "application/json", Body: body(key),
		Events: []inbox.NewEvent{{
			EventID: f.digest("event", n)[:32], Source: f.source, Provider: "redo", Subject: subject, SubjectName: subject,
			Type: fillerType, Key: key, ReceivedAt: time.Now(),
		}},
	})
	if err != nil {
		return err
	}
	if receipts[0].Duplicate {
		return fmt.Errorf("event %d was taken for another one", n)
	}
	f.pending.events.Add(1)
	f.pending.sequences.Add(receipts[0].Sequence)
	return nil
}

// many appends events from one number to before another, many at once.
func (f *filler) many(ctx context.Context, from, to int, subject func(n int) string) error {
	work, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	next.Store(int64(from))
	for range appenders {
		work.Go(func() error {
			for n := int(next.Add(1) - 1); n < to; n = int(next.Add(1) - 1) {
				if err := f.append(ctx, n, subject(n)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// body is a hundred bytes that nothing compresses much.
func body(key string) []byte { return []byte(`{"type":"updated","filler":"` + key + `"}`) }
