package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/holdfast-project/holdfast/inbox"
)

const (
	defaultReplay = 1000
	// maxReplay bounds the copies of one call: they share one commit, which the
	// senders wait for.
	maxReplay = 10_000
)

// Replay appends copies of settled events. A filter selects at most 10,000 in
// one call, and without To only what was received before Now. A caller that
// goes on with More gives the same To each time: else it meets its own copies.
func (s *Store) Replay(ctx context.Context, r inbox.Replay) (inbox.Replayed, error) {
	var out inbox.Replayed
	originals, err := s.named(ctx, r.Sequences)
	if len(r.Sequences) == 0 {
		originals, err = s.matching(ctx, r, &out)
	}
	if err != nil {
		return inbox.Replayed{}, err
	}
	if r.DryRun {
		out.Events = originals
		return out, nil
	}
	copies, err := write(ctx, s, func(t *tx) (inbox.Replayed, error) { return t.replay(r, originals) })
	if err != nil {
		return inbox.Replayed{}, err
	}
	copies.Skipped += out.Skipped
	copies.More = out.More
	return copies, nil
}

// named returns the events with these sequences in their order, all or an error.
func (s *Store) named(ctx context.Context, sequences []int64) ([]inbox.Event, error) {
	sequences = slices.Clone(sequences)
	slices.Sort(sequences)
	sequences = slices.Compact(sequences)
	if len(sequences) > maxReplay {
		return nil, inbox.Refused("%d events are named and one replay takes %d: name fewer", len(sequences), maxReplay)
	}
	var events []inbox.Event
	for _, sequence := range sequences {
		event, err := s.Event(ctx, sequence)
		if err != nil {
			return nil, err
		}
		if err := replayable(event); err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}

func replayable(e inbox.Event) error {
	switch {
	case e.Subject == "":
		return inbox.Refused("event %d cannot be replayed: its subject is unknown", e.Sequence)
	case e.Status == inbox.StatusPending:
		return inbox.Refused("event %d cannot be replayed: it is pending", e.Sequence)
	default:
		return nil
	}
}

// matching returns the events that the filter selects and that can be replayed.
// It is read beside the writer, however much there is to search.
func (s *Store) matching(ctx context.Context, r inbox.Replay, out *inbox.Replayed) ([]inbox.Event, error) {
	filter := r.Filter
	filter.Newest = false // the pages go forward
	if filter.To.IsZero() {
		filter.To = r.Now
	}
	limit := min(limitOr(filter.Limit, defaultReplay), maxReplay)
	var events []inbox.Event
	for {
		page, err := s.events(ctx, filter, limit+1)
		if err != nil {
			return nil, fmt.Errorf("select events to replay: %w", err)
		}
		for _, event := range page {
			switch {
			case replayable(event) != nil:
				out.Skipped++
			case len(events) == limit:
				out.More = filter.After
				return events, nil
			default:
				events = append(events, event)
			}
			filter.After = event.Sequence
		}
		if len(page) <= limit {
			return events, nil
		}
	}
}

func (t *tx) replay(r inbox.Replay, originals []inbox.Event) (inbox.Replayed, error) {
	named := len(r.Sequences) > 0
	var out inbox.Replayed
	var again []inbox.Event
	for _, original := range originals {
		// A reset may have reopened it, or Prune deleted it, since it was read.
		var status inbox.Status
		found, err := t.first("SELECT status FROM events WHERE sequence = ?", []any{original.Sequence}, &status)
		if err != nil {
			return out, err
		}
		original.Status = status
		switch {
		case found && status != inbox.StatusPending:
			again = append(again, original)
		case !named:
			out.Skipped++
		case !found:
			return out, fmt.Errorf("event %d: %w", original.Sequence, inbox.ErrNotFound)
		default:
			return out, replayable(original)
		}
	}
	for _, original := range again {
		if err := t.replayOne(r, original, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (t *tx) replayOne(r inbox.Replay, e inbox.Event, out *inbox.Replayed) error {
	id, err := uuid.NewV7()
	if err != nil {
		return t.check(err)
	}
	row, err := t.subject(e.Subject)
	if err == nil && row == nil {
		err = t.check(fmt.Errorf("event %d has no subject row", e.Sequence))
	}
	if err != nil {
		return err
	}
	var payload int64
	found, err := t.first("UPDATE payloads SET refs = refs + 1 WHERE id = (SELECT payload FROM events WHERE sequence = ?) RETURNING id",
		[]any{e.Sequence}, &payload)
	if err == nil && !found {
		err = t.check(fmt.Errorf("event %d has no payload", e.Sequence))
	}
	if err != nil {
		return err
	}
	related, err := encodeRelated(e.Related)
	if err != nil {
		return t.check(err)
	}
	now := microsOf(r.Now)
	original := e.Sequence
	e = inbox.Event{
		EventID: id.String(), Source: e.Source, Provider: e.Provider, Subject: e.Subject, Type: e.Type, Key: e.Key,
		At: e.At, ReceivedAt: now.time(), Index: e.Index, Related: e.Related, Staging: e.Staging,
		Status: inbox.StatusPending, ReplayOf: original,
	}
	e.Sequence, err = t.insertEvent(eventRecord{
		eventID: e.EventID, source: e.Source, provider: e.Provider,
		subject: sql.NullInt64{Int64: row.number, Valid: true}, eventType: e.Type, key: e.Key,
		at: microsOf(e.At), receivedAt: now, position: e.Index, related: related, staging: e.Staging,
		payload: payload, status: e.Status, replayOf: original,
	})
	if err != nil {
		return err
	}
	if row.raise(now) {
		out.Ring = append(out.Ring, e.Subject)
	}
	out.Events = append(out.Events, e)
	return t.audit("", inbox.AuditEntry{
		At: r.Now, Verb: "replay", Subject: e.Subject, Sequence: original, Reason: r.Reason, By: r.By,
	})
}
