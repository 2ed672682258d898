package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// transactBatch makes changes of different subjects in one transaction of two round
// trips: lock and read, then write and commit. It answers them if it succeeds, but
// not those it skipped, whose rows it could not lock or not find. After an error of
// the server's nothing is done.
func (s *Store) transactBatch(batch []*change, locking string) (skipped []*change, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), statementPatience)
	defer cancel()
	b, err := s.readAgain(ctx, batch, locking)
	if err != nil {
		return nil, err
	}
	defer release(b.conn)
	decided, skipped := b.decide(locking != "")
	if err := b.write(ctx); err != nil {
		s.failed(err)
		return nil, err
	}
	s.commits.Add(1)
	s.committed.Add(int64(len(decided)))
	for _, c := range decided {
		c.finish(nil)
	}
	return skipped, nil
}

// readAgain begins a transaction, a second time if the connection turns out to be
// dead: then nothing can have happened.
func (s *Store) readAgain(ctx context.Context, batch []*change, locking string) (*transaction, error) {
	for again := false; ; again = true {
		conn, err := s.conn(ctx)
		if err != nil {
			s.failed(err)
			return nil, err
		}
		t := &transaction{conn: conn, batch: batch}
		if err = t.read(ctx, locking); err == nil {
			return t, nil
		}
		broken := conn.Conn().IsClosed()
		release(conn)
		s.failed(err)
		if again || !broken || ctx.Err() != nil {
			return nil, err
		}
	}
}

// transaction is a batch of changes under way.
type transaction struct {
	conn    *pgxpool.Conn
	batch   []*change
	rows    map[string]*row.Row
	pending map[int64]int64   // sequences to subjects' numbers; 0: not pending
	heads   map[int64][]int64 // numbers to the first two pending events
	epochs  []int64

	changed []*row.Row
	settled []*inbox.Settlement
	failed  []*inbox.Failure
}

// Each statement sees what was committed before it began: the later ones run under
// the locks of the first. None says WHERE status = 'pending' beside a sequence: it
// might be looked for in the whole index of what is pending.
const (
	readPending = "SELECT e.sequence, CASE e.status WHEN 'pending' THEN e.subject ELSE 0 END FROM events e WHERE e.sequence = ANY ($1)"
	readHeads   = `SELECT s.number, e.sequence FROM subjects s CROSS JOIN LATERAL (
			SELECT e.sequence FROM events e WHERE e.subject = s.number AND e.status = 'pending' ORDER BY e.sequence LIMIT 2) e
		WHERE s.id = ANY ($1) ORDER BY e.sequence`
	readEpochs = "SELECT nextval('epochs') FROM generate_series(1, $1)"
)

func (t *transaction) read(ctx context.Context, locking string) error {
	var subjects, heads []text
	var sequences []int64
	epochs := 0
	for _, c := range t.batch {
		subjects = append(subjects, text(c.subject))
		if c.sequence != 0 {
			heads, sequences = append(heads, text(c.subject)), append(sequences, c.sequence)
		}
		if c.epoch {
			epochs++
		}
	}
	t.rows, t.pending, t.heads = map[string]*row.Row{}, map[int64]int64{}, map[int64][]int64{}
	var b pgx.Batch
	b.Queue("BEGIN")
	b.Queue(lockRows+locking, subjects).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanRow)
		for _, r := range found {
			t.rows[r.ID] = r
		}
		return err
	})
	if len(sequences) > 0 {
		b.Queue(readPending, sequences).Query(eachPair(func(sequence, number int64) { t.pending[sequence] = number }))
		b.Queue(readHeads, heads).Query(eachPair(func(number, sequence int64) { t.heads[number] = append(t.heads[number], sequence) }))
	}
	if epochs > 0 {
		b.Queue(readEpochs, epochs).Query(func(rows pgx.Rows) (err error) {
			t.epochs, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
	}
	return t.conn.SendBatch(ctx, &b).Close()
}

func eachPair(do func(a, b int64)) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var a, b int64
		_, err := pgx.ForEachRow(rows, []any{&a, &b}, func() error {
			do(a, b)
			return nil
		})
		return err
	}
}

// decide asks each change what is to be written. Those without a row are skipped if
// it may only be locked.
func (t *transaction) decide(skip bool) (decided, skipped []*change) {
	for _, c := range t.batch {
		r := t.rows[c.subject]
		if r == nil && skip {
			skipped = append(skipped, c)
			continue
		}
		k := known{row: r, epochs: t.epochs}
		var before row.Row
		if r != nil {
			before = *r
			number, is := t.pending[c.sequence]
			k.pending = is && number == r.Number
			for _, head := range t.heads[r.Number] {
				if head != c.sequence {
					k.next = head
					break
				}
			}
		}
		c.refused = c.decide(&k)
		t.epochs = k.epochs
		if r != nil && *r != before {
			t.changed = append(t.changed, r)
		}
		if k.settled != nil {
			t.settled = append(t.settled, k.settled)
		}
		if k.failed != nil {
			t.failed = append(t.failed, k.failed)
		}
		decided = append(decided, c)
	}
	return decided, skipped
}

// write writes what was decided and commits.
func (t *transaction) write(ctx context.Context) error {
	var b pgx.Batch
	if len(t.changed) > 0 {
		b.Queue(rowsUpdate, rowsUpdateArgs(t.changed)...).Exec(exactly(len(t.changed)))
	}
	if len(t.settled) > 0 {
		b.Queue(eventsSettle, settleArgs(t.settled)...).Exec(exactly(len(t.settled)))
	}
	if len(t.failed) > 0 {
		b.Queue(eventsFail, failArgs(t.failed)...).Exec(exactly(len(t.failed)))
	}
	queueCommit(&b)
	return t.conn.SendBatch(ctx, &b).Close()
}
