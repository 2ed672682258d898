package row

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/holdfast-project/holdfast/inbox"
)

const (
	// DefaultLimit is of a list that has none.
	DefaultLimit  = 100
	defaultReplay = 1000
	// maxReplay bounds the copies of one call: they share one commit, which the
	// senders wait for.
	maxReplay = 10_000
)

// LimitOr is a limit, or else the standard one.
func LimitOr(limit, standard int) int {
	if limit <= 0 {
		return standard
	}
	return limit
}

// Reader is where a replay finds its originals.
type Reader interface {
	// Named returns those of the events that exist, in sequence order.
	Named(ctx context.Context, sequences []int64) ([]inbox.Event, error)
	// Matching returns the events that match, in sequence order.
	Matching(ctx context.Context, f inbox.EventFilter, limit int) ([]inbox.Event, error)
}

// Replay finds the events that a replay copies and has the store copy them; a dry run
// ends with what was found. A filter selects at most 10,000 in one call, and without
// To only what was received before Now.
func Replay(ctx context.Context, r inbox.Replay, from Reader, copyAll func(originals []inbox.Event) (inbox.Replayed, error)) (inbox.Replayed, error) {
	found, err := originals(ctx, r, from)
	if err != nil || r.DryRun || len(found.Events) == 0 {
		return found, err
	}
	copies, err := copyAll(found.Events)
	if err != nil {
		return inbox.Replayed{}, err
	}
	copies.Skipped += found.Skipped
	copies.More = found.More
	return copies, nil
}

func originals(ctx context.Context, r inbox.Replay, from Reader) (inbox.Replayed, error) {
	if len(r.Sequences) > 0 {
		events, err := named(ctx, r.Sequences, from)
		return inbox.Replayed{Events: events}, err
	}
	return matching(ctx, r, from)
}

// named returns the events with these sequences in their order, all or an error.
func named(ctx context.Context, sequences []int64, from Reader) ([]inbox.Event, error) {
	sequences = slices.Clone(sequences)
	slices.Sort(sequences)
	sequences = slices.Compact(sequences)
	if len(sequences) > maxReplay {
		return nil, inbox.Refused("%d events are named and one replay takes %d: name fewer", len(sequences), maxReplay)
	}
	events, err := from.Named(ctx, sequences)
	if err != nil {
		return nil, err
	}
	for i, sequence := range sequences {
		if i == len(events) || events[i].Sequence != sequence {
			return nil, fmt.Errorf("event %d: %w", sequence, inbox.ErrNotFound)
		}
		if err := Replayable(events[i]); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// Replayable refuses an event that cannot be replayed.
func Replayable(e inbox.Event) error {
	switch {
	case e.Subject == "":
		return inbox.Refused("event %d cannot be replayed: its subject is unknown", e.Sequence)
	case e.Status == inbox.StatusPending:
		return inbox.Refused("event %d cannot be replayed: it is pending", e.Sequence)
	default:
		return nil
	}
}

func matching(ctx context.Context, r inbox.Replay, from Reader) (out inbox.Replayed, err error) {
	filter := r.Filter
	filter.Newest = false // the pages go forward
	if filter.To.IsZero() {
		filter.To = r.Now
	}
	limit := min(LimitOr(filter.Limit, defaultReplay), maxReplay)
	for {
		page, err := from.Matching(ctx, filter, limit+1)
		if err != nil {
			return out, fmt.Errorf("select events to replay: %w", err)
		}
		for _, event := range page {
			switch {
			case Replayable(event) != nil:
				out.Skipped++
			case len(out.Events) == limit:
				out.More = filter.After
				return out, nil
			default:
				out.Events = append(out.Events, event)
			}
			filter.After = event.Sequence
		}
		if len(page) <= limit {
			return out, nil
		}
	}
}

// StillThere sorts out which originals may still be copied, now that nothing can
// change them: a reset may have reopened one, or Prune deleted it, since it was
// read. Statuses are those of the events that exist. What was named must be there.
func StillThere(r inbox.Replay, originals []inbox.Event, statuses map[int64]inbox.Status) (again []inbox.Event, skipped int, err error) {
	for _, original := range originals {
		status, found := statuses[original.Sequence]
		original.Status = status
		switch {
		case found && status != inbox.StatusPending:
			again = append(again, original)
		case len(r.Sequences) == 0:
			skipped++
		case !found:
			return nil, 0, fmt.Errorf("event %d: %w", original.Sequence, inbox.ErrNotFound)
		default:
			return nil, 0, Replayable(original)
		}
	}
	return again, skipped, nil
}

// CopyOf is a new event that replays another one. Its sequence is still to come.
func CopyOf(e inbox.Event, r inbox.Replay) (inbox.Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return inbox.Event{}, err
	}
	return inbox.Event{
		EventID: id.String(), Source: e.Source, Provider: e.Provider, Subject: e.Subject, Type: e.Type, Key: e.Key,
		At: e.At, ReceivedAt: TimeOf(r.Now).Time(), Index: e.Index, Related: e.Related, Staging: e.Staging,
		Status: inbox.StatusPending, ReplayOf: e.Sequence,
	}, nil
}

// ReplayAudited is a replay as the audit keeps it, once for each copy.
func ReplayAudited(r inbox.Replay, copied inbox.Event) inbox.AuditEntry {
	return inbox.AuditEntry{
		At: r.Now, Verb: "replay", Subject: copied.Subject, Sequence: copied.ReplayOf, Reason: r.Reason, By: r.By,
	}
}
