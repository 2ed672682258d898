package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// stamp is a row.Time on its way to or from the database: a timestamptz or NULL.
type stamp row.Time

func stampOf(t time.Time) stamp { return stamp(row.TimeOf(t)) }

func (s stamp) time() time.Time { return row.Time(s).Time() }

// TimestamptzValue is the timestamp.
func (s stamp) TimestamptzValue() (pgtype.Timestamptz, error) {
	return pgtype.Timestamptz{Time: s.time(), Valid: s.Valid}, nil
}

// ScanTimestamptz takes the timestamp.
func (s *stamp) ScanTimestamptz(v pgtype.Timestamptz) error {
	*s = stamp{}
	if v.Valid {
		*s = stamp{Micros: v.Time.UnixMicro(), Valid: true}
	}
	return nil
}

// text is a string on its way to or from the database, which cannot store every one.
type text string

// TextValue is the string in a form that can be stored.
func (t text) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: row.Text(string(t)), Valid: true}, nil
}

// ScanText takes what TextValue made of a string.
func (t *text) ScanText(v pgtype.Text) error {
	*t = text(row.Plain(v.String))
	return nil
}

func texts(of []string) []text {
	all := make([]text, len(of))
	for i, s := range of {
		all[i] = text(s)
	}
	return all
}

// optional is a text for which NULL stands when it is empty.
type optional string

// TextValue is the string, or NULL.
func (o optional) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: row.Text(string(o)), Valid: o != ""}, nil
}
