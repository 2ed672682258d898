package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settled are rows of events that were settled long ago, as a store would have written
// them: each with a payload and a key of its own, ten to a subject, over the last 25
// days, so that none is to be pruned.
type settled struct {
	events, subjects int
	began            time.Time
	each             time.Duration // between two events
}

const (
	settledSource = "filler"
	settledDays   = 25
	perSubject    = 10
	// settledStep is how many are written at a time. Keys come in their own order
	// within a step, which is fast, and without one from step to step: the index grows
	// as it does in years, with room in its pages.
	settledStep = 250_000
)

func newSettled(events int, now time.Time) settled {
	return settled{
		events: events, subjects: max(events/perSubject, 1), began: now.AddDate(0, 0, -settledDays),
		each: (settledDays - 1) * 24 * time.Hour / time.Duration(max(events, 1)),
	}
}

// table are rows to be inserted. Both stores have the columns, but for a few.
type table struct {
	name    string
	columns []string
	rows    int
	row     func(i int) []any
}

// writer inserts rows into a store, past the store.
type writer interface {
	// count is how many events there are.
	count(ctx context.Context) (int, error)
	// write inserts tables in one transaction.
	write(ctx context.Context, tables []table) error
	// finish makes the store go on behind what was written.
	finish(ctx context.Context, done settled) error
	close(ctx context.Context) error
}

// fillSettled fills an inbox, unless it is full. The store must be closed.
func fillSettled(ctx context.Context, url string, events int, tell io.Writer) (err error) {
	open := openPostgresWriter
	if kindOf(url) == "sqlite" {
		open = openSQLiteWriter
	}
	w, err := open(ctx, strings.TrimPrefix(url, sqliteScheme))
	if err != nil {
		return err
	}
	s := newSettled(events, time.Now())
	there, err := w.count(ctx)
	switch {
	case err != nil || there >= events:
	case there > 0:
		err = fmt.Errorf("the inbox has %d events, not none and not %d: give an empty one, to be filled", there, events)
	default:
		if err = s.fill(ctx, w, tell); err == nil {
			err = w.finish(ctx, s)
		}
	}
	if closed := w.close(ctx); err == nil {
		err = closed
	}
	return err
}

func (s settled) fill(ctx context.Context, w writer, tell io.Writer) error {
	if err := w.write(ctx, []table{s.subjectRows()}); err != nil {
		return err
	}
	for from := 0; from < s.events; from += settledStep {
		to := min(from+settledStep, s.events)
		if err := w.write(ctx, []table{s.payloadRows(from, to), s.eventRows(from, to), s.keyRows(from, to)}); err != nil {
			return err
		}
		fmt.Fprintf(tell, "%d of %d settled events are there\n", to, s.events)
	}
	return nil
}

// digest is random to look at, and always the same.
func digest(what string, n int) string {
	sum := sha256.Sum256([]byte(what + strconv.Itoa(n)))
	return hex.EncodeToString(sum[:])
}

func settledKey(sequence int) string    { return digest("key", sequence) }
func settledSubject(number int) string  { return settledSource + "/" + digest("subject", number)[:24] }
func (s settled) subjectOf(seq int) int { return 1 + (seq*7919)%s.subjects }

func (s settled) at(sequence int) time.Time { return s.began.Add(time.Duration(sequence) * s.each) }

func (s settled) subjectRows() table {
	return table{
		name: "subjects", columns: []string{"number", "id", "name", "source", "epoch", "sweep_at"}, rows: s.subjects,
		row: func(i int) []any {
			id := settledSubject(i + 1)
			return []any{i + 1, id, id, settledSource, i + 1, s.began}
		},
	}
}

func (s settled) payloadRows(from, to int) table {
	return table{
		name: "payloads", columns: []string{"id", "refs", "content_type", "encoding", "size", "body"}, rows: to - from,
		row: func(i int) []any {
			content := body(settledKey(from + i + 1))
			return []any{from + i + 1, 1, "application/json", 0, len(content), content}
		},
	}
}

func (s settled) eventRows(from, to int) table {
	return table{
		name: "events", columns: []string{
			"sequence", "event_id", "source", "provider", "subject", "type", "key", "received_at", "position", "staging", "payload",
			"status", "attempts", "handler", "settled_at", "epoch", "run_id", "original_run_id",
		}, rows: to - from,
		row: func(i int) []any {
			n := from + i + 1
			run := digest("run", n)[:36]
			return []any{
				n, digest("event", n)[:36], settledSource, "redo", s.subjectOf(n), fillerType, settledKey(n), s.at(n), 0, false, n,
				"delivered", 1, "app.example", s.at(n).Add(20 * time.Millisecond), n, run, run,
			}
		},
	}
}

func (s settled) keyRows(from, to int) table {
	type known struct {
		key      string
		sequence int
	}
	keys := make([]known, to-from)
	for i := range keys {
		keys[i] = known{settledKey(from + i + 1), from + i + 1}
	}
	slices.SortFunc(keys, func(a, b known) int { return strings.Compare(a.key, b.key) })
	return table{
		name: "keys", columns: []string{"source", "key", "variant", "sequence", "digest"}, rows: len(keys),
		row: func(i int) []any { return []any{settledSource, keys[i].key, "", keys[i].sequence, ""} },
	}
}
