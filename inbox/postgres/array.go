package postgres

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// array is a one-dimensional array on its way to the server in its binary form,
// written element by element. Thousands of events a second go through a score of
// them each: what the driver does for any type, by reflection and with an
// allocation for each element, would take half of an append's processor time.
type array struct {
	data  []byte
	n     uint32
	nulls bool
}

// arrayHeader is the number of dimensions, whether there are NULLs, the elements'
// type, the length, and the first index.
const arrayHeader = 20

func (a *array) reset() {
	if cap(a.data) < arrayHeader {
		a.data = make([]byte, arrayHeader, 1024)
	}
	a.data, a.n, a.nulls = a.data[:arrayHeader], 0, false
}

// element begins an element of a size.
func (a *array) element(size int) {
	a.n++
	a.data = binary.BigEndian.AppendUint32(a.data, uint32(size)) //nolint:gosec // 1 GB is the server's own limit
}

func (a *array) null() {
	a.n++
	a.nulls = true
	a.data = append(a.data, 0xff, 0xff, 0xff, 0xff)
}

func (a *array) bytes(b []byte) {
	a.element(len(b))
	a.data = append(a.data, b...)
}

// text adds a string in a form that can be stored.
func (a *array) text(s string) { a.stored(row.Text(s)) }

// stored adds a string that can be stored as it is.
func (a *array) stored(s string) {
	a.element(len(s))
	a.data = append(a.data, s...)
}

// optional adds a text for which NULL stands when it is empty.
func (a *array) optional(s string) {
	if s == "" {
		a.null()
		return
	}
	a.text(s)
}

func (a *array) int64(v int64) {
	a.element(8)
	a.data = binary.BigEndian.AppendUint64(a.data, uint64(v)) //nolint:gosec // its bits
}

func (a *array) int(v int) {
	a.element(4)
	a.data = binary.BigEndian.AppendUint32(a.data, uint32(v)) //nolint:gosec // a number in a batch
}

func (a *array) int16(v int16) {
	a.element(2)
	a.data = binary.BigEndian.AppendUint16(a.data, uint16(v)) //nolint:gosec // its bits
}

func (a *array) bool(v bool) {
	a.element(1)
	if v {
		a.data = append(a.data, 1)
	} else {
		a.data = append(a.data, 0)
	}
}

// epochMicros is the server's first microsecond, 1 January 2000, after ours.
const epochMicros = 946_684_800_000_000

func (a *array) time(t row.Time) {
	if !t.Valid {
		a.null()
		return
	}
	a.int64(t.Micros - epochMicros)
}

// encoded is the array as the server reads it, until the next reset.
func (a *array) encoded(element uint32) []byte {
	if a.n == 0 { // which has no dimensions
		binary.BigEndian.PutUint32(a.data[0:], 0)
		binary.BigEndian.PutUint32(a.data[4:], 0)
		binary.BigEndian.PutUint32(a.data[8:], element)
		return a.data[:12]
	}
	nulls := uint32(0)
	if a.nulls {
		nulls = 1
	}
	for i, field := range [...]uint32{1, nulls, element, a.n, 1} {
		binary.BigEndian.PutUint32(a.data[4*i:], field)
	}
	return a.data
}

// arrayOf are the types of arrays by those of their elements.
var arrayOf = map[uint32]uint32{
	pgtype.TextOID: pgtype.TextArrayOID, pgtype.Int8OID: pgtype.Int8ArrayOID, pgtype.Int4OID: pgtype.Int4ArrayOID,
	pgtype.Int2OID: pgtype.Int2ArrayOID, pgtype.BoolOID: pgtype.BoolArrayOID, pgtype.ByteaOID: pgtype.ByteaArrayOID,
	pgtype.TimestamptzOID: pgtype.TimestamptzArrayOID,
}

// arguments are those of a statement, in its order.
type arguments struct {
	values [][]byte
	types  []uint32
}

func (a *arguments) reset() { a.values, a.types = a.values[:0], a.types[:0] }

func (a *arguments) scalar(of uint32, value []byte) {
	a.values, a.types = append(a.values, value), append(a.types, of)
}

// int4 adds a number.
func (a *arguments) int4(v int) {
	a.scalar(pgtype.Int4OID, binary.BigEndian.AppendUint32(nil, uint32(v))) //nolint:gosec // of a batch
}

func (a *arguments) text(v string) { a.scalar(pgtype.TextOID, []byte(row.Text(v))) }

func (a *arguments) int8(v int64) {
	a.scalar(pgtype.Int8OID, binary.BigEndian.AppendUint64(nil, uint64(v))) //nolint:gosec // its bits
}

// textOrNull adds a text, or NULL if it is empty.
func (a *arguments) textOrNull(v string) {
	if v == "" {
		a.scalar(pgtype.TextOID, nil)
		return
	}
	a.text(v)
}

func (a *arguments) array(element uint32, value *array) {
	a.scalar(arrayOf[element], value.encoded(element))
}

// arrayOrNull passes NULL if the array is not wanted.
func (a *arguments) arrayOrNull(element uint32, value *array, wanted bool) {
	if !wanted {
		a.scalar(arrayOf[element], nil)
		return
	}
	a.array(element, value)
}
