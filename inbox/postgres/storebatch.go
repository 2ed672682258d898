package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
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
	var args appendArgs
	args.patience = patience
	for i, a := range batch {
		args.add(i+1, a)
	}
	rows, _ := conn.Query(ctx, appendSQL, args.list()...)
	receipts, err := pgx.CollectRows(rows, scanReceipt)
	if err == nil && len(receipts) != len(args.eventIDs) {
		err = fmt.Errorf("there are %d receipts for %d events", len(receipts), len(args.eventIDs))
	}
	if err != nil {
		s.failed(err)
		return err
	}
	s.commits.Add(1)
	s.committed.Add(int64(len(batch)))
	for _, a := range batch {
		n := len(a.delivery.Events)
		a.receipts, receipts = receipts[:n:n], receipts[n:]
		a.finish(nil)
	}
	return nil
}

func scanReceipt(r pgx.CollectableRow) (receipt inbox.Receipt, err error) {
	err = r.Scan(&receipt.Sequence, &receipt.Status, &receipt.Duplicate, &receipt.Ring,
		(*text)(&receipt.EventID), (*text)(&receipt.Subject))
	return receipt, err
}

const appendSQL = `SELECT sequence, status, duplicate, ring, event_id, subject FROM append_1($1,
	$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`

// appendArgs are the arguments of the function append_1, in its order.
type appendArgs struct {
	patience string

	contentTypes []text
	encodings    []int16
	sizes        []int64
	bodies       [][]byte

	deliveries  []int32
	eventIDs    []text
	sources     []text
	providers   []text
	subjects    []text
	names       []text
	types       []text
	keys        []text
	digests     []text
	expires     []stamp
	ats         []stamp
	receiveds   []stamp
	positions   []int64
	relateds    []text
	stagings    []bool
	quarantines []text
}

func (p *appendArgs) add(number int, a *appending) {
	p.contentTypes = append(p.contentTypes, text(a.delivery.ContentType))
	p.encodings = append(p.encodings, a.encoding)
	p.sizes = append(p.sizes, int64(len(a.delivery.Body)))
	p.bodies = append(p.bodies, a.body)
	for i := range a.delivery.Events {
		e := &a.delivery.Events[i]
		name := e.SubjectName
		if name == "" {
			name = e.Subject
		}
		p.deliveries = append(p.deliveries, int32(number)) //nolint:gosec // of a batch
		p.eventIDs = append(p.eventIDs, text(e.EventID))
		p.sources = append(p.sources, text(e.Source))
		p.providers = append(p.providers, text(e.Provider))
		p.subjects = append(p.subjects, text(e.Subject))
		p.names = append(p.names, text(name))
		p.types = append(p.types, text(e.Type))
		p.keys = append(p.keys, text(e.Key))
		p.digests = append(p.digests, text(e.Digest))
		p.expires = append(p.expires, stamp(row.Expires(e)))
		p.ats = append(p.ats, stampOf(e.At))
		p.receiveds = append(p.receiveds, stampOf(e.ReceivedAt))
		p.positions = append(p.positions, int64(e.Index))
		p.relateds = append(p.relateds, text(a.related[i]))
		p.stagings = append(p.stagings, e.Staging)
		p.quarantines = append(p.quarantines, text(e.Quarantine))
	}
}

func (p *appendArgs) list() []any {
	return []any{
		p.patience, p.contentTypes, p.encodings, p.sizes, p.bodies,
		p.deliveries, p.eventIDs, p.sources, p.providers, p.subjects, p.names, p.types, p.keys, p.digests,
		p.expires, p.ats, p.receiveds, p.positions, p.relateds, p.stagings, p.quarantines,
	}
}
