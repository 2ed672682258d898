package postgres

import (
	"context"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// appending is a delivery on its way in.
type appending struct {
	job
	delivery inbox.Delivery
	related  []string
	encoding int16
	body     []byte // as it is stored
	receipts []inbox.Receipt
}

// maxID is how long a subject ID may be: what an index can hold. Those that come
// from a provider are a tenth of it.
const maxID = 2000

// Append makes every event of a delivery durable, or none. When too many wait it
// returns inbox.ErrOverloaded at once. If the context ends while the commit is
// under way, or the connection breaks, the delivery may be stored all the same;
// appended again, events with keys are then duplicates. The body must not be
// changed after the call.
func (s *Store) Append(ctx context.Context, d inbox.Delivery) ([]inbox.Receipt, error) {
	related, err := row.CheckDelivery(d)
	if err != nil {
		return nil, err
	}
	for i, e := range d.Events {
		if len(row.Text(e.Subject)) > maxID {
			return nil, fmt.Errorf("append: event %d: its subject's ID has more than %d bytes", i, maxID)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if away := s.away.Load(); away != nil {
		return nil, away
	}
	a := &appending{job: newJob(ctx, len(d.Events), len(d.Body)), delivery: d, related: related}
	if err := s.admit(a); err != nil {
		return nil, err
	}
	if err := a.await(s.stopped); err != nil {
		return nil, err
	}
	return a.receipts, nil
}

// admit puts a delivery in the line, or refuses it when that is full.
func (s *Store) admit(a *appending) error {
	select {
	case <-s.closing:
		return errClosed
	default:
	}
	size := int64(a.bytes)
	held, heldBytes := s.stuck.size()
	before := s.appends.bytes.Add(size) - size + heldBytes
	if before > 0 && before+size > int64(s.options.QueueBytes) {
		s.appends.bytes.Add(-size)
		return fmt.Errorf("%w: %d bytes wait for PostgreSQL", inbox.ErrOverloaded, before)
	}
	if held >= s.options.QueueLength {
		s.appends.bytes.Add(-size)
		return fmt.Errorf("%w: %d deliveries wait for locks", inbox.ErrOverloaded, s.options.QueueLength)
	}
	a.encoding, a.body = s.codec.encode(a.delivery.Body)
	select {
	case s.appends.waiting <- a:
		return nil
	default:
		s.appends.bytes.Add(-size)
		return fmt.Errorf("%w: %d deliveries wait for PostgreSQL", inbox.ErrOverloaded, s.options.QueueLength)
	}
}

// acceptAll is a writer: one's round trip is another one's time to gather, and when
// one waits for a lock the others go on.
func (s *Store) acceptAll() {
	for {
		batch := s.appends.take(s.options.BatchLength, s.options.BatchBytes)
		if batch == nil {
			return
		}
		s.accept(batch)
		s.appends.end()
	}
}

// accept stores a batch. One subject that somebody has locked costs the others of
// its batch this patience at most, and once: then those who can go on, do.
func (s *Store) accept(batch []*appending) {
	batch, held := s.stuck.divide(batch)
	s.wait(held)
	if len(batch) == 0 {
		return
	}
	err := s.storeBatch(batch, firstPatience)
	switch {
	case err == nil:
	case isContention(err):
		free, held := s.divideByLocks(batch)
		s.wait(append(held, s.storeApart(free, nextPatience)...))
	case isContent(err) && len(batch) > 1:
		s.wait(s.storeApart(batch, nextPatience))
	default:
		finishAll(batch, err)
	}
}

// storeApart stores a batch, in halves if it must: who is to blame fails alone. It
// returns who still waits for somebody else's lock.
func (s *Store) storeApart(batch []*appending, patience string) (held []*appending) {
	if len(batch) == 0 {
		return nil
	}
	err := s.storeBatch(batch, patience)
	switch {
	case err == nil:
		return nil
	case len(batch) == 1 && isContention(err):
		return batch
	case len(batch) > 1 && (isContention(err) || isContent(err)):
		half := len(batch) / 2
		return append(s.storeApart(batch[:half:half], patience), s.storeApart(batch[half:], patience)...)
	default:
		finishAll(batch, err)
		return nil
	}
}

func finishAll(batch []*appending, err error) {
	for _, a := range batch {
		a.finish(fmt.Errorf("append to the inbox: %w", err))
	}
}
