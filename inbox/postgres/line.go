package postgres

import (
	"context"
	"fmt"
	"sync/atomic"
)

// job is one caller's work, on its way through a line.
type job struct {
	ctx    context.Context
	weight int // how many of its batch it stands for
	bytes  int
	state  atomic.Int32
	err    error
	done   chan struct{}
}

const (
	waiting   = iota
	begun     // it will be answered
	abandoned // by its caller: it will never be begun
)

func newJob(ctx context.Context, weight, bytes int) job {
	return job{ctx: ctx, weight: weight, bytes: bytes, done: make(chan struct{})}
}

func (j *job) base() *job { return j }

// begin tells whether the work is still wanted. Then it is to be finished.
func (j *job) begin() bool {
	if !j.state.CompareAndSwap(waiting, begun) {
		return false
	}
	if err := j.ctx.Err(); err != nil {
		j.finish(fmt.Errorf("wait for the inbox: %w", err))
		return false
	}
	return true
}

func (j *job) finish(err error) {
	j.err = err
	close(j.done)
}

// await returns what became of the work; stopped tells that nobody works any more.
// A context that ends before it was begun means that it never will be; after that
// the caller gets the context's error too, but the work may be done.
func (j *job) await(stopped <-chan struct{}) error {
	select {
	case <-j.done:
		return j.err
	case <-stopped:
		if j.state.CompareAndSwap(waiting, abandoned) {
			return errClosed
		}
		<-j.done
		return j.err
	case <-j.ctx.Done():
	}
	if j.state.CompareAndSwap(waiting, abandoned) {
		return fmt.Errorf("wait for the inbox: %w", j.ctx.Err())
	}
	return fmt.Errorf("wait for the inbox's commit, which may still happen: %w", j.ctx.Err())
}

// line is where work waits for a writer.
type line[T interface{ base() *job }] struct {
	waiting chan T
	closing chan struct{}
	bytes   atomic.Int64
}

func newLine[T interface{ base() *job }](length int, closing chan struct{}) *line[T] {
	return &line[T]{waiting: make(chan T, length), closing: closing}
}

func (l *line[T]) len() int { return len(l.waiting) }

// take waits for work and takes what has queued up, up to a weight and a size. It
// returns nothing when the store is closed and all is done.
func (l *line[T]) take(weight, bytes int) []T {
	for {
		first, ok := l.first()
		if !ok {
			return nil
		}
		batch := l.wanted(nil, first)
		for heft, size := first.base().weight, first.base().bytes; heft < weight && size < bytes; {
			more, ok := l.more()
			if !ok {
				break
			}
			heft, size = heft+more.base().weight, size+more.base().bytes
			batch = l.wanted(batch, more)
		}
		if len(batch) > 0 {
			return batch
		}
	}
}

func (l *line[T]) wanted(batch []T, work T) []T {
	l.bytes.Add(-int64(work.base().bytes))
	if !work.base().begin() {
		return batch
	}
	return append(batch, work)
}

func (l *line[T]) first() (work T, ok bool) {
	select {
	case work = <-l.waiting:
		return work, true
	case <-l.closing:
		return l.more()
	}
}

func (l *line[T]) more() (work T, ok bool) {
	select {
	case work = <-l.waiting:
		return work, true
	default:
		return work, false
	}
}

// join waits for room in the line.
func (l *line[T]) join(work T) error {
	select {
	case <-l.closing:
		return errClosed
	default:
	}
	ctx := work.base().ctx
	select {
	case l.waiting <- work:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the inbox: %w", ctx.Err())
	case <-l.closing:
		return errClosed
	}
}
