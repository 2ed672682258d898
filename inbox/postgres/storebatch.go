package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/holdfast-project/holdfast/inbox"
)

// storeBatch stores deliveries in one statement and answers them if it succeeds.
// After an error of the server's nothing is stored; after one of the connection's
// nobody knows.
func (s *Store) storeBatch(batch []*appending, patience string) error {
	ctx, cancel := context.WithTimeout(context.Background(), statementPatience)
	defer cancel()
	conn, err := s.conn(ctx)
	if err != nil {
		s.failed(err)
		return err
	}
	defer conn.Release()
	b, _ := batches.Get().(*appendBatch)
	defer batches.Put(b)
	b.fill(batch, patience)
	rows, err := call(ctx, conn.Conn(), appendName, appendSQL, b.arguments())
	if err == nil {
		err = b.receipts(rows)
	}
	if err != nil {
		s.failed(err)
		return err
	}
	s.commits.Add(1)
	s.committed.Add(int64(len(batch)))
	for _, a := range batch {
		a.finish(nil)
	}
	return nil
}

var batches = sync.Pool{New: func() any { return new(appendBatch) }}

const (
	appendName = "holdfast_append_2"
	appendSQL  = `SELECT sequences, s_pending, late, l_status, l_duplicate, l_event_id, l_subject FROM append_2(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)`
)

// receipts gives each delivery its receipts, from the answer of the function append_2.
func (b *appendBatch) receipts(rows [][][]byte) error {
	if len(rows) != 1 || len(rows[0]) != 7 {
		return fmt.Errorf("%w: %d rows", errAnswer, len(rows))
	}
	var columns [7][]cell
	for i := range columns {
		var err error
		if columns[i], err = cell(rows[0][i]).elements(); err != nil {
			return err
		}
	}
	sequences, pending, late := columns[0], columns[1], columns[2]
	if len(sequences) != len(b.events) || len(pending) != len(b.subjects) {
		return fmt.Errorf("%w: there are %d sequences for %d events, %d counts for %d subjects",
			errAnswer, len(sequences), len(b.events), len(pending), len(b.subjects))
	}
	for i, e := range b.events {
		*e.receipt = inbox.Receipt{EventID: e.EventID, Sequence: sequences[i].int64(), Subject: e.Subject, Status: inbox.StatusPending}
		if e.Quarantine != "" {
			e.receipt.Status = inbox.StatusQuarantined
		}
	}
	for i, nr := range late {
		if nr.int() < 1 || nr.int() > len(b.events) || i >= min(len(columns[3]), len(columns[4]), len(columns[5]), len(columns[6])) {
			return fmt.Errorf("%w: what became of an event is missing", errAnswer)
		}
		r := b.events[nr.int()-1].receipt
		r.Status, r.Duplicate = inbox.Status(columns[3][i].text()), columns[4][i].bool()
		r.EventID, r.Subject = columns[5][i].text(), columns[6][i].text()
	}
	b.ring(pending)
	return nil
}

// ring has the first pending event of each subject that had none ring it.
func (b *appendBatch) ring(pending []cell) {
	for _, e := range b.events {
		if e.subject == 0 || e.receipt.Duplicate || e.receipt.Status != inbox.StatusPending {
			continue
		}
		subject := &b.subjects[e.subject-1]
		if !subject.rung && pending[e.subject-1].int64() == int64(subject.pending) {
			subject.rung, e.receipt.Ring = true, true
		}
	}
}

// arguments are those of the function append_2, in its order.
func (b *appendBatch) arguments() *arguments {
	a := &b.args
	a.reset()
	a.scalar(pgtype.TextOID, []byte(b.patience))
	a.array(pgtype.TextOID, &b.s.id)
	a.array(pgtype.TextOID, &b.s.name)
	a.array(pgtype.TextOID, &b.s.source)
	a.array(pgtype.Int8OID, &b.s.count)
	a.array(pgtype.TimestamptzOID, &b.s.since)
	a.int4(b.keyed)
	a.array(pgtype.Int4OID, &b.kEvent)
	a.array(pgtype.TextOID, &b.d.contentType)
	a.array(pgtype.Int2OID, &b.d.encoding)
	a.array(pgtype.Int8OID, &b.d.size)
	a.array(pgtype.ByteaOID, &b.d.body)
	a.array(pgtype.Int4OID, &b.d.first)
	a.array(pgtype.Int8OID, &b.d.count)
	a.array(pgtype.Int4OID, &b.e.delivery)
	a.array(pgtype.Int4OID, &b.e.subject)
	a.array(pgtype.TextOID, &b.e.eventID)
	a.array(pgtype.TextOID, &b.e.source)
	a.array(pgtype.TextOID, &b.e.provider)
	a.array(pgtype.TextOID, &b.e.kind)
	a.array(pgtype.TextOID, &b.e.key)
	a.arrayOrNull(pgtype.TextOID, &b.e.lookup, b.lookups)
	a.array(pgtype.TextOID, &b.e.digest)
	a.array(pgtype.TimestamptzOID, &b.e.expires)
	a.array(pgtype.TimestamptzOID, &b.e.at)
	a.array(pgtype.TimestamptzOID, &b.e.received)
	a.array(pgtype.Int8OID, &b.e.position)
	a.array(pgtype.TextOID, &b.e.related)
	a.array(pgtype.BoolOID, &b.e.staging)
	a.array(pgtype.TextOID, &b.e.quarantine)
	return a
}
