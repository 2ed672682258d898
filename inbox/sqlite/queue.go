package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/holdfast-project/holdfast/inbox"
)

// operation is one caller's change, on its way through the writer.
type operation struct {
	ctx   context.Context
	bytes int
	// run may be called twice: when another operation of its batch broke the
	// transaction, the writer starts over with each one alone.
	run   func(*tx) error
	state atomic.Int32
	err   error
	done  chan struct{}
}

const (
	waiting   = iota
	begun     // by the writer: it will be answered
	abandoned // by its caller: it will never be begun
)

func (o *operation) begin() bool { return o.state.CompareAndSwap(waiting, begun) }

func (o *operation) abandon() bool { return o.state.CompareAndSwap(waiting, abandoned) }

func (o *operation) finish(err error) {
	o.err = err
	close(o.done)
}

// write has the writer run a change and returns its result once it is durable.
//
// A context that ends before the change was begun means that it never will be.
// After that the caller gets the context's error too, but the change may be done.
func write[T any](ctx context.Context, s *Store, run func(*tx) (T, error)) (T, error) {
	return enqueue(ctx, s, 0, func(o *operation) error {
		select {
		case <-s.closing:
			return errClosed
		default:
		}
		select {
		case s.others <- o:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("wait for the inbox's writer: %w", ctx.Err())
		case <-s.closing:
			return errClosed
		}
	}, run)
}

// writeOrRefuse is write for a change that is better refused than kept waiting
// when the queue is full.
func writeOrRefuse[T any](ctx context.Context, s *Store, bytes int, run func(*tx) (T, error)) (T, error) {
	return enqueue(ctx, s, bytes, func(o *operation) error {
		select {
		case <-s.closing:
			return errClosed
		default:
		}
		before := s.queuedBytes.Add(int64(bytes)) - int64(bytes)
		if before > 0 && before+int64(bytes) > int64(s.options.QueueBytes) {
			s.queuedBytes.Add(-int64(bytes))
			return fmt.Errorf("%w: %d bytes wait for its disk", inbox.ErrOverloaded, before)
		}
		select {
		case s.appends <- o:
			return nil
		default:
			s.queuedBytes.Add(-int64(bytes))
			return fmt.Errorf("%w: %d deliveries wait for its disk", inbox.ErrOverloaded, s.options.QueueLength)
		}
	}, run)
}

func enqueue[T any](ctx context.Context, s *Store, bytes int, send func(*operation) error, run func(*tx) (T, error)) (T, error) {
	var result, none T
	o := &operation{ctx: ctx, bytes: bytes, done: make(chan struct{}), run: func(t *tx) (err error) {
		result, err = run(t)
		return err
	}}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if err := send(o); err != nil {
		return none, err
	}
	s.gathering.joined()
	if err := s.await(ctx, o); err != nil {
		return none, err
	}
	return result, nil
}

func (s *Store) await(ctx context.Context, o *operation) error {
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		if o.abandon() {
			return fmt.Errorf("wait for the inbox's writer: %w", ctx.Err())
		}
		return fmt.Errorf("wait for the inbox's commit, which may still happen: %w", ctx.Err())
	case <-s.writer.stopped:
		if o.abandon() {
			return errClosed
		}
		<-o.done
		return o.err
	}
}

// batch is what shares a commit.
type batch struct {
	limits     *Options
	operations []*operation
	bytes      int
}

func (b *batch) full() bool {
	return len(b.operations) >= b.limits.BatchLength || b.bytes >= b.limits.BatchBytes
}

// collect waits for work and takes what has queued up. It returns nothing when the
// store is closed and all is done.
func (s *Store) collect() []*operation {
	first := s.first()
	if first == nil {
		return nil
	}
	b := batch{limits: &s.options}
	s.take(&b, first)
	s.takeQueued(&b)
	if missing := s.gathering.expected - len(b.operations); missing > 0 && !b.full() {
		room := min(b.limits.BatchLength-len(b.operations), b.limits.QueueLength)
		s.gathering.wait(min(missing, room), s.closing)
		s.takeQueued(&b)
	}
	return b.operations
}

// takeQueued takes in turns from both queues, so that neither the senders nor the
// drains can starve the other.
func (s *Store) takeQueued(b *batch) {
	for took := true; took; {
		took = false
		for _, queue := range []chan *operation{s.others, s.appends} {
			if b.full() {
				return
			}
			select {
			case o := <-queue:
				s.take(b, o)
				took = true
			default:
			}
		}
	}
}

func (s *Store) take(b *batch, o *operation) {
	s.gathering.left()
	s.queuedBytes.Add(-int64(o.bytes))
	b.operations = append(b.operations, o)
	b.bytes += o.bytes
}

func (s *Store) first() *operation {
	select {
	case o := <-s.others:
		return o
	case o := <-s.appends:
		return o
	case <-s.closing:
	}
	select {
	case o := <-s.others:
		return o
	case o := <-s.appends:
		return o
	default:
		return nil
	}
}
