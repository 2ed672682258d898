package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

const rowColumns = `s.number, s.id, s.name, s.source, s.pending, s.epoch,
	s.held, s.held_since, s.held_until, s.held_by, s.held_reason,
	s.streak, s.spent, s.holds, s.next_wake, s.last_error, s.failed_at, s.sweep_at,
	s.busy_run, s.busy_since, s.busy_until`

// lockRows takes the locks in the order of the IDs, as everybody does.
const lockRows = "SELECT " + rowColumns + " FROM subjects s WHERE s.id = ANY ($1) ORDER BY s.id FOR UPDATE"

// fieldsOf are where the rowColumns go.
func fieldsOf(r *row.Row) []any {
	return []any{
		&r.Number, (*text)(&r.ID), (*text)(&r.Name), (*text)(&r.Source), &r.Pending, &r.Epoch,
		&r.Held, (*stamp)(&r.HeldSince), (*stamp)(&r.HeldUntil), (*text)(&r.HeldBy), (*text)(&r.HeldReason),
		&r.Streak, &r.Spent, &r.Holds, (*stamp)(&r.NextWake), (*text)(&r.LastError), (*stamp)(&r.FailedAt), (*stamp)(&r.SweepAt),
		(*text)(&r.BusyRun), (*stamp)(&r.BusySince), (*stamp)(&r.BusyUntil),
	}
}

func scanRow(r pgx.CollectableRow) (*row.Row, error) {
	var scanned row.Row
	err := r.Scan(fieldsOf(&scanned)...)
	return &scanned, err
}

// rowsUpdate writes rows back, all in one statement.
const rowsUpdate = `UPDATE subjects s SET pending = x.pending, epoch = x.epoch,
		held = x.held, held_since = x.held_since, held_until = x.held_until, held_by = x.held_by, held_reason = x.held_reason,
		streak = x.streak, spent = x.spent, holds = x.holds, next_wake = x.next_wake, last_error = x.last_error,
		failed_at = x.failed_at, sweep_at = x.sweep_at,
		busy_run = x.busy_run, busy_since = x.busy_since, busy_until = x.busy_until
	FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],
		$4::boolean[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[],
		$9::integer[], $10::bigint[], $11::integer[], $12::timestamptz[], $13::text[],
		$14::timestamptz[], $15::timestamptz[],
		$16::text[], $17::timestamptz[], $18::timestamptz[]) AS x (number, pending, epoch,
		held, held_since, held_until, held_by, held_reason,
		streak, spent, holds, next_wake, last_error,
		failed_at, sweep_at, busy_run, busy_since, busy_until)
	WHERE s.number = x.number`

func rowsUpdateArgs(rows []*row.Row) []any {
	return []any{
		column(rows, func(r *row.Row) int64 { return r.Number }),
		column(rows, func(r *row.Row) int64 { return int64(r.Pending) }),
		column(rows, func(r *row.Row) int64 { return r.Epoch }),
		column(rows, func(r *row.Row) bool { return r.Held }),
		column(rows, func(r *row.Row) stamp { return stamp(r.HeldSince) }),
		column(rows, func(r *row.Row) stamp { return stamp(r.HeldUntil) }),
		column(rows, func(r *row.Row) text { return text(r.HeldBy) }),
		column(rows, func(r *row.Row) text { return text(r.HeldReason) }),
		column(rows, func(r *row.Row) int64 { return int64(r.Streak) }),
		column(rows, func(r *row.Row) int64 { return r.Spent }),
		column(rows, func(r *row.Row) int64 { return int64(r.Holds) }),
		column(rows, func(r *row.Row) stamp { return stamp(r.NextWake) }),
		column(rows, func(r *row.Row) text { return text(r.LastError) }),
		column(rows, func(r *row.Row) stamp { return stamp(r.FailedAt) }),
		column(rows, func(r *row.Row) stamp { return stamp(r.SweepAt) }),
		column(rows, func(r *row.Row) text { return text(r.BusyRun) }),
		column(rows, func(r *row.Row) stamp { return stamp(r.BusySince) }),
		column(rows, func(r *row.Row) stamp { return stamp(r.BusyUntil) }),
	}
}

// column is one field of many things, as an array's elements.
func column[T, V any](of []T, field func(T) V) []V {
	values := make([]V, len(of))
	for i, one := range of {
		values[i] = field(one)
	}
	return values
}
