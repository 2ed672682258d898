package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
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

	turn   chan struct{} // of the writer that gathers
	atWork atomic.Int32  // writers with a batch under way
	ended  chan struct{} // tells that one has ended
}

func newLine[T interface{ base() *job }](length int, closing chan struct{}) *line[T] {
	return &line[T]{
		waiting: make(chan T, length), closing: closing,
		turn: make(chan struct{}, 1), ended: make(chan struct{}, 1),
	}
}

func (l *line[T]) len() int { return len(l.waiting) }

// A statement and the wait for the disk cost as much as a dozen of what they carry,
// so a writer gathers while another one's batch is under way: that costs nobody time
// that the disk would not. It does not gather for longer than gatherPatience, because
// that batch may wait for a lock or a slow disk, nor more than half a batch.
const gatherPatience = 2 * time.Millisecond

// take waits for work and takes what has queued up, up to a weight and a size. It
// returns nothing when the store is closed and all is done. Each batch is to be ended.
func (l *line[T]) take(weight, bytes int) []T {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	for {
		first, ok := l.first()
		if !ok {
			return nil
		}
		g := gathered[T]{weight: weight, bytes: bytes}
		l.add(&g, first)
		l.addWhatWaits(&g)
		if l.atWork.Load() > 0 && g.heft < weight/2 && !g.full() {
			l.gather(&g)
			l.addWhatWaits(&g)
		}
		if batch := l.wanted(g.batch); len(batch) > 0 {
			l.atWork.Add(1)
			return batch
		}
	}
}

// end tells that a batch is done.
func (l *line[T]) end() {
	l.atWork.Add(-1)
	select {
	case l.ended <- struct{}{}:
	default:
	}
}

// gathered is a batch that grows up to a weight and a size.
type gathered[T any] struct {
	batch         []T
	weight, bytes int
	heft, size    int
}

func (g *gathered[T]) full() bool { return g.heft >= g.weight || g.size >= g.bytes }

func (l *line[T]) add(g *gathered[T], work T) {
	job := work.base()
	l.bytes.Add(-int64(job.bytes))
	g.batch, g.heft, g.size = append(g.batch, work), g.heft+job.weight, g.size+job.bytes
}

func (l *line[T]) addWhatWaits(g *gathered[T]) {
	for !g.full() {
		work, ok := l.more()
		if !ok {
			return
		}
		l.add(g, work)
	}
}

// gather waits until nobody is at work, half a batch is there, or patience ends.
func (l *line[T]) gather(g *gathered[T]) {
	patience := time.NewTimer(gatherPatience)
	defer patience.Stop()
	for g.heft < g.weight/2 && !g.full() && l.atWork.Load() > 0 {
		select {
		case work := <-l.waiting:
			l.add(g, work)
		case <-l.ended:
		case <-patience.C:
			return
		case <-l.closing:
			return
		}
	}
}

// wanted begins those whose callers still want them.
func (l *line[T]) wanted(all []T) []T {
	return slices.DeleteFunc(all, func(work T) bool { return !work.base().begin() })
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
