package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Replay appends copies of settled events. A filter selects at most 10,000 in
// one call, and without To only what was received before Now. A caller that
// goes on with More gives the same To each time: else it meets its own copies.
func (s *Store) Replay(ctx context.Context, r inbox.Replay) (inbox.Replayed, error) {
	return row.Replay(ctx, r, originals{s}, func(found []inbox.Event) (inbox.Replayed, error) {
		return transact(ctx, s, func(t *tx) (inbox.Replayed, error) { return t.replay(r, found) })
	})
}

type originals struct{ *Store }

func (s originals) Named(ctx context.Context, sequences []int64) ([]inbox.Event, error) {
	return list(ctx, s.Store, "read events", func(ctx context.Context, conn *pgx.Conn) ([]inbox.Event, error) {
		return queryEvents(ctx, conn, "SELECT "+eventColumns+eventTables+"WHERE e.sequence = ANY ($1) ORDER BY e.sequence", sequences)
	})
}

func (s originals) Matching(ctx context.Context, f inbox.EventFilter, limit int) ([]inbox.Event, error) {
	return s.events(ctx, f, limit)
}

func (t *tx) replay(r inbox.Replay, originals []inbox.Event) (out inbox.Replayed, err error) {
	if err := t.lock(column(originals, func(e inbox.Event) string { return e.Subject })); err != nil {
		return out, err
	}
	statuses, err := t.statuses(originals)
	if err != nil {
		return out, err
	}
	again, skipped, err := row.StillThere(r, originals, statuses)
	if err != nil {
		return out, err
	}
	out.Skipped = skipped
	var audited []inbox.AuditEntry
	for _, original := range again {
		copied, err := row.CopyOf(original, r)
		if err != nil {
			return out, err
		}
		kept := t.rows[copied.Subject]
		if kept == nil {
			return out, fmt.Errorf("event %d has no subject row", copied.ReplayOf)
		}
		if kept.row.Raise(row.TimeOf(copied.ReceivedAt)) {
			out.Ring = append(out.Ring, copied.Subject)
		}
		out.Events = append(out.Events, copied)
		audited = append(audited, row.ReplayAudited(r, copied))
	}
	if err := t.insertCopies(out.Events); err != nil {
		return out, err
	}
	return out, t.audit("", audited)
}

// statuses returns those of the events that exist, and keeps Prune from them.
func (t *tx) statuses(originals []inbox.Event) (map[int64]inbox.Status, error) {
	rows, _ := t.conn.Query(t.ctx, "SELECT sequence, status FROM events WHERE sequence = ANY ($1) ORDER BY sequence FOR KEY SHARE",
		column(originals, func(e inbox.Event) int64 { return e.Sequence }))
	statuses := map[int64]inbox.Status{}
	var sequence int64
	var status string
	_, err := pgx.ForEachRow(rows, []any{&sequence, &status}, func() error {
		statuses[sequence] = inbox.Status(status)
		return nil
	})
	return statuses, err
}

// insertCopies stores copies in their order and gives them their sequences, under
// their subjects' locks.
func (t *tx) insertCopies(copies []inbox.Event) error {
	if len(copies) == 0 {
		return nil
	}
	rows, _ := t.conn.Query(t.ctx, "SELECT nextval('event_sequence') FROM generate_series(1, $1)", len(copies))
	sequences, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for i := range copies {
		copies[i].Sequence = sequences[i]
	}
	of := column(copies, func(e inbox.Event) int64 { return e.ReplayOf })
	tag, err := t.conn.Exec(t.ctx, `INSERT INTO events (sequence, event_id, source, provider, subject, type, key, at, received_at,
			position, related, staging, payload, status, replay_of)
		SELECT x.sequence, x.event_id, e.source, e.provider, e.subject, e.type, e.key, e.at, x.received_at,
			e.position, e.related, e.staging, e.payload, 'pending', e.sequence
		FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::bigint[]) AS x (sequence, event_id, received_at, replay_of)
		JOIN events e ON e.sequence = x.replay_of`,
		sequences, column(copies, func(e inbox.Event) text { return text(e.EventID) }),
		column(copies, func(e inbox.Event) stamp { return stampOf(e.ReceivedAt) }), of)
	if err == nil {
		err = exactly(len(copies))(tag)
	}
	if err != nil {
		return err
	}
	_, err = t.conn.Exec(t.ctx, `WITH locked AS MATERIALIZED (SELECT p.id FROM payloads p
			WHERE p.id IN (SELECT payload FROM events WHERE sequence = ANY ($1)) ORDER BY p.id FOR UPDATE)
		UPDATE payloads p SET refs = p.refs + x.refs
		FROM (SELECT payload, count(*) AS refs FROM events WHERE sequence = ANY ($1) GROUP BY payload) x
		WHERE p.id = x.payload AND p.id IN (SELECT id FROM locked)`, of)
	return err
}
