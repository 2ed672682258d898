package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// prepared is where a connection keeps, by their names, which statements of ours it
// has prepared, and which it is not to.
const prepared = "holdfast"

// call executes one statement that commits by itself and returns its rows, in the
// binary form. A session parses it once, under its name. If it knows nothing of it any
// more, as after a DISCARD ALL, or has something else under that name, as a pooler's
// may, it is executed without a name.
func call(ctx context.Context, conn *pgx.Conn, name, statement string, args *arguments) ([][][]byte, error) {
	pg := conn.PgConn()
	binaryForm := []int16{1} // of all arguments, of all columns
	known, _ := pg.CustomData()[prepared].(map[string]bool)
	if known == nil {
		known = map[string]bool{}
		pg.CustomData()[prepared] = known
	}
	is, tried := known[name]
	if !tried {
		_, err := pg.Prepare(ctx, name, statement, args.types)
		if err != nil && codeOf(err) == "" {
			return nil, err
		}
		is = err == nil
		known[name] = is
	}
	if is {
		result := pg.ExecPrepared(ctx, name, args.values, binaryForm, binaryForm).Read()
		if codeOf(result.Err) != codeNotPrepared {
			return result.Rows, result.Err
		}
		clear(known)
	}
	result := pg.ExecParams(ctx, statement, args.values, args.types, binaryForm, binaryForm).Read()
	return result.Rows, result.Err
}

// errAnswer is an answer that is not what the statement returns.
var errAnswer = errors.New("the server's answer is not what was asked for")

// cell is a column's value in the binary form; nil is NULL. What is not as long as
// its type reads as nothing: the columns are our own functions'.
type cell []byte

func (c cell) int64() int64 {
	if len(c) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(c)) //nolint:gosec // its bits
}

func (c cell) int() int {
	if len(c) != 4 {
		return 0
	}
	return int(int32(binary.BigEndian.Uint32(c))) //nolint:gosec // its bits
}

func (c cell) int16() int16 {
	if len(c) != 2 {
		return 0
	}
	return int16(binary.BigEndian.Uint16(c)) //nolint:gosec // its bits
}

func (c cell) bool() bool { return len(c) == 1 && c[0] != 0 }

// text is what array.text made of a string.
func (c cell) text() string { return row.Plain(string(c)) }

func (c cell) time() row.Time {
	if len(c) != 8 {
		return row.Time{}
	}
	return row.Time{Micros: c.int64() + epochMicros, Valid: true}
}

// elements are those of an array without NULLs; none if it is NULL.
func (c cell) elements() ([]cell, error) {
	if len(c) < 12 {
		return nil, nil
	}
	if binary.BigEndian.Uint32(c) == 0 { // no dimension: it is empty
		return nil, nil
	}
	if len(c) < arrayHeader {
		return nil, fmt.Errorf("%w: an array of %d bytes", errAnswer, len(c))
	}
	n := int(binary.BigEndian.Uint32(c[12:]))
	rest := c[arrayHeader:]
	if n > len(rest)/4 {
		return nil, fmt.Errorf("%w: an array of %d elements in %d bytes", errAnswer, n, len(c))
	}
	all := make([]cell, n)
	for i := range all {
		if len(rest) < 4 {
			return nil, fmt.Errorf("%w: an array ends in its middle", errAnswer)
		}
		size := int(int32(binary.BigEndian.Uint32(rest))) //nolint:gosec // -1 is NULL
		if rest = rest[4:]; size < 0 || size > len(rest) {
			return nil, fmt.Errorf("%w: an element of %d bytes", errAnswer, size)
		}
		all[i], rest = rest[:size], rest[size:]
	}
	return all, nil
}
