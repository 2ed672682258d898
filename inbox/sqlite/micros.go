package sqlite

import (
	"database/sql"
	"time"
)

// micros is a time as it is stored: microseconds since 1970, or nothing.
type micros struct{ sql.NullInt64 }

func microsOf(t time.Time) micros {
	if t.IsZero() {
		return micros{}
	}
	return micros{sql.NullInt64{Int64: t.UnixMicro(), Valid: true}}
}

func (m micros) set() bool { return m.Valid }

func (m micros) after(other micros) bool { return m.Valid && m.Int64 > other.Int64 }

// plus returns a time that is so much later; nothing stays nothing.
func (m micros) plus(d time.Duration) micros {
	m.Int64 += d.Microseconds()
	return m
}

func (m micros) time() time.Time {
	if !m.Valid {
		return time.Time{}
	}
	return time.UnixMicro(m.Int64).UTC()
}
