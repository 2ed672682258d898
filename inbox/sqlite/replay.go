package sqlite

import (
	"context"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Replay appends copies of settled events. A filter selects at most 10,000 in
// one call, and without To only what was received before Now. A caller that
// goes on with More gives the same To each time: else it meets its own copies.
func (s *Store) Replay(ctx context.Context, r inbox.Replay) (inbox.Replayed, error) {
	return row.Replay(ctx, r, originals{s}, func(found []inbox.Event) (inbox.Replayed, error) {
		return write(ctx, s, func(t *tx) (inbox.Replayed, error) { return t.replay(r, found) })
	})
}

// originals reads beside the writer, however much there is to search.
type originals struct{ *Store }

func (s originals) Named(ctx context.Context, sequences []int64) ([]inbox.Event, error) {
	var events []inbox.Event
	for _, sequence := range sequences {
		event, err := s.Event(ctx, sequence)
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}

func (s originals) Matching(ctx context.Context, f inbox.EventFilter, limit int) ([]inbox.Event, error) {
	return s.events(ctx, f, limit)
}

func (t *tx) replay(r inbox.Replay, originals []inbox.Event) (out inbox.Replayed, err error) {
	statuses := map[int64]inbox.Status{}
	for _, original := range originals {
		var status inbox.Status
		found, err := t.first("SELECT status FROM events WHERE sequence = ?", []any{original.Sequence}, func(c columns) { status = c.status() })
		if err != nil {
			return out, err
		}
		if found {
			statuses[original.Sequence] = status
		}
	}
	again, skipped, err := row.StillThere(r, originals, statuses)
	if err != nil {
		return out, err
	}
	out.Skipped = skipped
	for _, original := range again {
		if err := t.replayOne(r, original, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (t *tx) replayOne(r inbox.Replay, original inbox.Event, out *inbox.Replayed) error {
	e, err := row.CopyOf(original, r)
	if err != nil {
		return t.check(err)
	}
	subject, err := t.subject(e.Subject)
	if err == nil && subject == nil {
		err = t.check(fmt.Errorf("event %d has no subject row", e.ReplayOf))
	}
	if err != nil {
		return err
	}
	var payload int64
	found, err := t.first("UPDATE payloads SET refs = refs + 1 WHERE id = (SELECT payload FROM events WHERE sequence = ?) RETURNING id",
		[]any{e.ReplayOf}, func(c columns) { payload = c.int64() })
	if err == nil && !found {
		err = t.check(fmt.Errorf("event %d has no payload", e.ReplayOf))
	}
	if err != nil {
		return err
	}
	related, err := row.EncodeRelated(e.Related)
	if err != nil {
		return t.check(err)
	}
	received := row.TimeOf(e.ReceivedAt)
	e.Sequence, err = t.insertEvent(eventRecord{
		eventID: e.EventID, source: e.Source, provider: e.Provider,
		subject: reference(subject.Number), eventType: e.Type, key: e.Key,
		at: row.TimeOf(e.At), receivedAt: received, position: e.Index, related: related, staging: e.Staging,
		payload: payload, status: e.Status, replayOf: e.ReplayOf,
	})
	if err != nil {
		return err
	}
	if subject.Raise(received) {
		out.Ring = append(out.Ring, e.Subject)
	}
	out.Events = append(out.Events, e)
	return t.audit("", row.ReplayAudited(r, e))
}
