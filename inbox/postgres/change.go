package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// change is what a drain wants of one subject: it is decided under the row's lock
// by what is read with it, and shares its commit with the changes of others.
type change struct {
	job
	subject  string
	sequence int64  // of the event that it is about; 0: of none
	epoch    bool   // it may take one
	usual    *usual // if it may be done without decide
	decide   func(*known) error
	refused  error
}

// known is what is read under a subject's lock.
type known struct {
	row     *row.Row // nil: there is none
	pending bool     // whether the change's event is, and is of this subject
	next    int64    // the first other pending event of the subject; 0: none
	epochs  []int64  // to take from

	settled *inbox.Settlement
	failed  *inbox.Failure
}

func (k *known) nextEpoch() int64 {
	epoch := k.epochs[0]
	k.epochs = k.epochs[1:]
	return epoch
}

// change has a change made and returns once it is durable.
func (s *Store) change(ctx context.Context, c *change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if away := s.away.Load(); away != nil {
		return away
	}
	c.job = newJob(ctx, 1, 0)
	if err := s.changes.join(c); err != nil {
		return err
	}
	if err := c.await(s.stopped); err != nil {
		return err
	}
	return c.refused
}

// changeAll is a writer.
func (s *Store) changeAll() {
	for {
		batch := s.changes.take(s.options.BatchLength, 1)
		if batch == nil {
			return
		}
		s.changeBatch(batch)
		s.changes.end()
	}
}

// changeBatch makes the changes of different subjects in one transaction, or in two
// if not all of them are usual. It waits for no lock: whoever's subject is locked, or
// twice in the batch, goes alone.
func (s *Store) changeBatch(batch []*change) {
	var together, usually, apart []*change
	seen := map[string]bool{}
	for _, c := range batch {
		switch {
		case seen[c.subject]:
			apart = append(apart, c)
		case c.usual != nil:
			usually = append(usually, c)
		default:
			together = append(together, c)
		}
		seen[c.subject] = true
	}
	if len(usually) > 0 {
		unusual, skipped, err := s.changeUsual(usually, "")
		together = append(together, unusual...)
		if err == nil && len(skipped) > 0 {
			s.working.Go(func() { s.changeSkipped(skipped) })
		} else {
			apart = append(apart, s.without(usually, nil, err)...)
		}
	}
	if len(together) > 0 {
		skipped, err := s.transactBatch(together, " SKIP LOCKED")
		apart = append(apart, s.without(together, skipped, err)...)
	}
	s.changeApart(apart)
}

func (s *Store) changeApart(apart []*change) {
	for _, c := range apart {
		s.working.Go(func() { s.changeAlone(c) })
	}
}

// skippedPatience is as long as an append that has the locks may take. Those that it
// kept from sharing a commit share the next one, but are not kept by each other: when
// it is over they go apart.
const skippedPatience = "100ms"

// changeSkipped makes changes whose subjects were locked a moment ago. Claims go
// alone: each is decided only when it has its lock.
func (s *Store) changeSkipped(skipped []*change) {
	var settlements, claims []*change
	for _, c := range skipped {
		if c.usual.claim == nil {
			settlements = append(settlements, c)
		} else {
			claims = append(claims, c)
		}
	}
	s.changeApart(claims)
	if len(settlements) == 0 {
		return
	}
	s.alone <- struct{}{}
	unusual, skipped, err := s.changeUsual(settlements, skippedPatience)
	<-s.alone
	s.changeApart(append(unusual, s.without(settlements, skipped, err)...))
}

// without returns who of a batch is to go alone.
func (s *Store) without(batch, skipped []*change, err error) []*change {
	switch {
	case err == nil:
		return skipped
	case isContention(err), isContent(err) && len(batch) > 1:
		return batch
	default:
		finishChanges(batch, err)
		return nil
	}
}

// alonePause keeps two that keep each other out from trying at the same moment.
const alonePause = 10 * time.Millisecond

// changeAlone makes one change, and waits for its subject's lock. Whoever has waited
// in vain waits apart from those that come: somebody who keeps a few locks for long
// must not stand in the way of all others.
func (s *Store) changeAlone(c *change) {
	for slots := s.alone; ; slots = s.again {
		select {
		case slots <- struct{}{}:
		case <-c.ctx.Done():
			c.finish(fmt.Errorf("wait for a subject's lock: %w", c.ctx.Err()))
			return
		}
		_, err := s.transactBatch([]*change{c}, "")
		<-slots
		if err == nil {
			return
		}
		if !isContention(err) || c.ctx.Err() != nil || !s.pause(alonePause) {
			finishChanges([]*change{c}, err)
			return
		}
	}
}

func finishChanges(batch []*change, err error) {
	for _, c := range batch {
		c.finish(fmt.Errorf("write to the inbox: %w", err))
	}
}
