package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// usual is a claim or a settlement as it mostly is, which the function drain_2
// carries out in one round trip. What is otherwise is left to the change's decide.
type usual struct {
	claim      *inbox.Claim
	claimed    *inbox.Claimed
	settlement *inbox.Settlement // if it is no claim
	settled    *inbox.Settled
}

// changeUsual carries out the usual claims and settlements of different subjects in
// one statement, and answers those that were done. It returns those that turned out
// not to be usual, and those whose subjects are not there, or locked; with a patience
// it waits for the locks. After an error of the server's nothing is done.
func (s *Store) changeUsual(batch []*change, patience string) (unusual, skipped []*change, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), statementPatience)
	defer cancel()
	b, _ := usualBatches.Get().(*usualBatch)
	defer usualBatches.Put(b)
	b.fill(batch)
	rows, err := s.callAgain(ctx, b.arguments(patience))
	if err != nil {
		return nil, nil, err
	}
	answers := make([][][]byte, len(batch))
	for _, r := range rows {
		if len(r) != usualColumns || cell(r[0]).int() < 1 || cell(r[0]).int() > len(batch) {
			return nil, nil, fmt.Errorf("%w: %d columns", errAnswer, len(r))
		}
		answers[cell(r[0]).int()-1] = r
	}
	done := int64(0)
	for i, c := range batch {
		switch answer := answers[i]; {
		case answer == nil:
			skipped = append(skipped, c)
		case !cell(answer[1]).bool():
			unusual = append(unusual, c)
		default:
			s.readUsual(c.usual, answer)
			c.finish(nil)
			done++
		}
	}
	if done > 0 {
		s.commits.Add(1)
		s.committed.Add(done)
	}
	return unusual, skipped, nil
}

// callAgain makes a call, a second time if the connection turns out to be dead. If
// the first one was carried out all the same, the second finds nothing usual left:
// its events are settled, or a claim takes another epoch for the same run.
func (s *Store) callAgain(ctx context.Context, args *arguments) ([][][]byte, error) {
	for again := false; ; again = true {
		conn, err := s.conn(ctx)
		if err != nil {
			s.failed(err)
			return nil, err
		}
		rows, err := call(ctx, conn.Conn(), usualName, usualSQL, args)
		broken := conn.Conn().IsClosed()
		conn.Release()
		if err == nil {
			return rows, nil
		}
		s.failed(err)
		if again || !broken || ctx.Err() != nil {
			return nil, err
		}
	}
}

const (
	usualName = "holdfast_drain_2"
	usualSQL  = `SELECT nr, done, pending, held, next, epoch, name, source, streak, spent, holds, next_wake, last_error, failed_at,
		f_sequence, f_event_id, f_source, f_provider, f_subject, f_type, f_key, f_at, f_received_at, f_position, f_related, f_staging, f_status,
		f_attempts, f_reason, f_handler, f_settled_at, f_redo, f_replay_of, f_run_id, f_content_type, f_encoding, f_size, f_body
		FROM drain_2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`
	ownColumns   = 14 // the others are the first event's
	usualColumns = ownColumns + nextColumns

	// firstBytes is how large a body may be that comes with its claim: as many claims
	// as one call has are 8 MiB then.
	firstBytes = 64 << 10
)

// readUsual takes the answer of the function drain_2 to an operation that was done.
func (s *Store) readUsual(u *usual, r [][]byte) {
	pending := int(cell(r[2]).int64())
	if u.claim == nil {
		*u.settled = inbox.Settled{Pending: pending, Held: cell(r[3]).bool(), Next: cell(r[4]).int64()}
		return
	}
	now := row.Row{
		ID: u.claim.Subject, Pending: pending, Epoch: cell(r[5]).int64(),
		Name: cell(r[6]).text(), Source: cell(r[7]).text(),
		Streak: cell(r[8]).int(), Spent: cell(r[9]).int64(), Holds: cell(r[10]).int(),
		NextWake: cell(r[11]).time(), LastError: cell(r[12]).text(), FailedAt: cell(r[13]).time(),
	}
	*u.claimed = inbox.Claimed{Subject: now.Subject()}
	if first := r[ownColumns:]; first[0] != nil {
		// One that cannot be read is left to Next, which says so.
		if entry, err := s.entry(first); err == nil {
			u.claimed.First = &entry
		}
	}
}

// usualBatch are operations as the function drain_2 gets them. It is used again and
// again, so that its arrays need not grow each time.
type usualBatch struct {
	subject, claim, run, last                                                 array
	now, wrong, until                                                         array
	epoch, sequence, status, reason, handler, attempts, at, settler, original array
	args                                                                      arguments
}

var usualBatches = sync.Pool{New: func() any { return new(usualBatch) }}

func (b *usualBatch) fill(batch []*change) {
	for _, a := range []*array{
		&b.subject, &b.claim, &b.run, &b.last, &b.now, &b.wrong, &b.until,
		&b.epoch, &b.sequence, &b.status, &b.reason, &b.handler, &b.attempts, &b.at, &b.settler, &b.original,
	} {
		a.reset()
	}
	for _, c := range batch {
		b.subject.text(c.subject)
		b.claim.bool(c.usual.claim != nil)
		var claim inbox.Claim
		var settlement inbox.Settlement
		if c.usual.claim != nil {
			claim = *c.usual.claim
		} else {
			settlement = *c.usual.settlement
		}
		now := row.TimeOf(claim.Now)
		b.run.text(claim.RunID)
		b.now.time(now)
		b.wrong.time(now.Plus(row.ClockSlack))
		b.until.time(row.TimeOf(claim.BusyUntil))
		b.last.bool(settlement.Last)
		b.epoch.int64(settlement.Epoch)
		b.sequence.int64(settlement.Sequence)
		b.status.text(string(settlement.Status))
		b.reason.text(settlement.Reason)
		b.handler.text(settlement.Handler)
		b.attempts.int64(int64(settlement.Attempts))
		b.at.time(row.TimeOf(settlement.Now))
		b.settler.optional(settlement.RunID)
		b.original.optional(settlement.OriginalRunID)
	}
}

func (b *usualBatch) arguments(patience string) *arguments {
	a := &b.args
	a.reset()
	a.textOrNull(patience)
	a.array(pgtype.TextOID, &b.subject)
	a.array(pgtype.BoolOID, &b.claim)
	a.array(pgtype.TextOID, &b.run)
	a.array(pgtype.BoolOID, &b.last)
	a.array(pgtype.TimestamptzOID, &b.now)
	a.array(pgtype.TimestamptzOID, &b.wrong)
	a.array(pgtype.TimestamptzOID, &b.until)
	a.array(pgtype.Int8OID, &b.epoch)
	a.array(pgtype.Int8OID, &b.sequence)
	a.array(pgtype.TextOID, &b.status)
	a.array(pgtype.TextOID, &b.reason)
	a.array(pgtype.TextOID, &b.handler)
	a.array(pgtype.Int8OID, &b.attempts)
	a.array(pgtype.TimestamptzOID, &b.at)
	a.array(pgtype.TextOID, &b.settler)
	a.array(pgtype.TextOID, &b.original)
	a.int8(firstBytes)
	return a
}
