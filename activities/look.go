package activities

import (
	"context"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// The first look takes one event: its destination may be busy. The others take
	// as many as this, unless their bodies are large.
	lookEvents = 100
	lookBytes  = 4 << 20
)

// look returns the subject's first pending events. The very first may have come with
// the claim.
func (d *drain) look(ctx context.Context, most int) ([]inbox.Entry, error) {
	if first := d.came; first != nil {
		d.came = nil
		return []inbox.Entry{*first}, nil
	}
	return d.store.Next(ctx, d.subject.ID, most, lookBytes)
}

// page handles the events of one look, for as long as they are still the
// subject's first ones: an operator may have parked some of them meanwhile.
func (d *drain) page(ctx context.Context, entries []inbox.Entry) (done bool, err error) {
	next := entries[0].Sequence
	for _, e := range entries {
		if e.Sequence != next {
			return false, nil
		}
		if next, err = d.event(ctx, e); next == 0 {
			return true, err
		}
	}
	return false, nil
}

// first looks at the subject's first pending event; without one the drain found
// nothing to do.
func (d *drain) first(ctx context.Context, found func(inbox.Entry)) error {
	entries, err := d.store.Next(ctx, d.subject.ID, 1, 1)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		d.out.Outcome = workflows.OutcomeEmpty
		return nil
	}
	found(entries[0])
	return nil
}
