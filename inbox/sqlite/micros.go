package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"time"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// micros is a row.Time on its way to or from the database: an integer or NULL.
type micros row.Time

func microsOf(t time.Time) micros { return micros(row.TimeOf(t)) }

func (m micros) time() time.Time { return row.Time(m).Time() }

// Value is the integer.
func (m micros) Value() (driver.Value, error) {
	return sql.NullInt64{Int64: m.Micros, Valid: m.Valid}.Value()
}

// Scan takes the integer.
func (m *micros) Scan(value any) error {
	var n sql.NullInt64
	err := n.Scan(value)
	m.Micros, m.Valid = n.Int64, n.Valid
	return err
}
