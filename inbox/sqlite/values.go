package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// nullable is a text that is stored as NULL when it is empty.
type nullable string

// reference is the number of a row that is stored as NULL when it is 0.
type reference int64

// number is an integer, of any value, or NULL.
type number struct {
	n     int64
	valid bool
}

// bind gives a statement its parameters. It keeps none of them, so that they need not
// be allocated.
func bind(s *sqlite3.Stmt, args []any) error {
	for i, arg := range args {
		if err := bindOne(s, i+1, arg); err != nil {
			return err
		}
	}
	return nil
}

func bindOne(s *sqlite3.Stmt, n int, arg any) error {
	switch v := arg.(type) {
	case int:
		return s.BindInt64(n, int64(v))
	case int64:
		return s.BindInt64(n, v)
	case bool:
		return s.BindBool(n, v)
	case string:
		return s.BindText(n, v)
	case inbox.Status:
		return s.BindText(n, string(v))
	case []byte:
		return s.BindBlob(n, v)
	case row.Time:
		return bindNumber(s, n, number{v.Micros, v.Valid})
	case reference:
		return bindNumber(s, n, number{int64(v), v != 0})
	case number:
		return bindNumber(s, n, v)
	case nullable:
		if v == "" {
			return s.BindNull(n)
		}
		return s.BindText(n, string(v))
	default:
		return fmt.Errorf("parameter %d is of a type that is not stored: %s", n, s.SQL())
	}
}

func bindNumber(s *sqlite3.Stmt, n int, v number) error {
	if !v.valid {
		return s.BindNull(n)
	}
	return s.BindInt64(n, v.n)
}

var statuses = inbox.Statuses()

// columns reads a row of a result from left to right. It can be read once.
type columns struct {
	s    *sqlite3.Stmt
	next int
}

func (c *columns) skip() int {
	c.next++
	return c.next - 1
}

func (c *columns) int64() int64 { return c.s.ColumnInt64(c.skip()) }

func (c *columns) int() int { return int(c.int64()) }

func (c *columns) bool() bool { return c.int64() != 0 }

func (c *columns) text() string { return c.s.ColumnText(c.skip()) }

// one is text for a column that nearly always has the same one: then it is not
// allocated again.
func (c *columns) one(expected string) string {
	raw := c.s.ColumnRawText(c.skip())
	if string(raw) == expected {
		return expected
	}
	return string(raw)
}

func (c *columns) status() inbox.Status {
	raw := c.s.ColumnRawText(c.skip())
	for _, status := range statuses {
		if string(raw) == string(status) {
			return status
		}
	}
	return inbox.Status(raw)
}

// body is never nil: that would be a payload without a body.
func (c *columns) body() []byte {
	raw := c.s.ColumnRawBlob(c.skip())
	return append(make([]byte, 0, len(raw)), raw...)
}

func (c *columns) time() row.Time {
	n := c.skip()
	micros := c.s.ColumnInt64(n) // 0 if it is NULL
	return row.Time{Micros: micros, Valid: micros != 0 || c.s.ColumnType(n) != sqlite3.NULL}
}
