package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// readers are the connections for reading. The last one used is used first: it
// remembers most pages.
type readers struct {
	path  string
	slots chan struct{} // one for each connection in use

	mu   sync.Mutex
	idle []*conn
}

func newReaders(path string, connections int) *readers {
	return &readers{path: path, slots: make(chan struct{}, connections)}
}

// read lends a connection to read, which a context's end interrupts.
func (s *Store) read(ctx context.Context, read func(*conn) error) error {
	select {
	case <-s.closing:
		return errClosed
	default:
	}
	select {
	case s.readers.slots <- struct{}{}:
		defer func() { <-s.readers.slots }()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return errClosed
	}
	err := s.readers.lend(ctx, read)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// lend gives a connection up on which something failed.
func (r *readers) lend(ctx context.Context, read func(*conn) error) (err error) {
	c := r.take()
	if c == nil {
		if c, err = connectToRead(ctx, r.path); err != nil {
			return err
		}
	}
	healthy := false
	defer func() {
		if !healthy {
			_ = c.close() // what matters is what failed
		}
	}()
	c.raw.SetInterrupt(ctx)
	if err = read(c); err != nil {
		return err
	}
	c.raw.SetInterrupt(context.Background())
	healthy = true
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, c)
	return nil
}

func (r *readers) take() *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) == 0 {
		return nil
	}
	last := len(r.idle) - 1
	c := r.idle[last]
	r.idle = slices.Delete(r.idle, last, last+1)
	return c
}

// close waits for who is reading. Nobody begins after the store's closing.
func (r *readers) close() error {
	for range cap(r.slots) {
		r.slots <- struct{}{}
	}
	var errs []error
	for _, c := range r.idle {
		errs = append(errs, c.close())
	}
	r.idle = nil
	return errors.Join(errs...)
}
