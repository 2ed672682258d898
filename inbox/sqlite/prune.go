package sqlite

import (
	"context"
	"time"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// pruneBytes bounds the bodies that one Prune deletes: every page of them is
// read, to be freed, while the senders wait.
const pruneBytes = 4 << 20

// Prune deletes old settled events in one short transaction.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	return write(ctx, s, func(t *tx) (int, error) { return t.prune(row.TimeOf(before), limit) })
}

type prunable struct {
	sequence, payload int64
	subject           int64 // 0: unknown
	source, key       string
	refs, bytes       int64 // of its payload
}

// frees returns how many bytes go with the event.
func (e prunable) frees() int64 {
	if e.refs > 1 {
		return 0
	}
	return e.bytes
}

func (t *tx) prune(before row.Time, limit int) (int, error) {
	var events []prunable
	err := t.all(`SELECT sequence, payload, subject, source, key FROM events INDEXED BY events_settled
		WHERE settled_at < ? AND status <> 'pending' ORDER BY settled_at LIMIT ?`,
		[]any{before, limit}, func(c columns) error {
			events = append(events, prunable{
				sequence: c.int64(), payload: c.int64(), subject: c.int64(), source: c.text(), key: c.text(),
			})
			return nil
		})
	if err != nil {
		return 0, err
	}
	pruned, bytes, subjects := 0, int64(0), map[int64]bool{}
	for _, e := range events {
		_, err := t.first("SELECT refs, length(body) FROM payloads WHERE id = ?", []any{e.payload}, func(c columns) {
			e.refs, e.bytes = c.int64(), c.int64()
		})
		if err != nil {
			return 0, err
		}
		if bytes += e.frees(); pruned > 0 && bytes > pruneBytes {
			break
		}
		if err := t.pruneOne(e); err != nil {
			return 0, err
		}
		pruned++
		if e.subject != 0 {
			subjects[e.subject] = true
		}
	}
	if err := t.pruneSubjects(subjects); err != nil {
		return 0, err
	}
	return pruned, t.pruneAudit(before, limit)
}

func (t *tx) pruneOne(e prunable) error {
	if t.w.oldKeys && e.key != "" {
		err := t.exec("DELETE FROM keys WHERE source = ? AND key = ? AND sequence = ?", e.source, e.key, e.sequence)
		if err != nil {
			return err
		}
	}
	if err := t.exec("DELETE FROM events WHERE sequence = ?", e.sequence); err != nil {
		return err
	}
	if e.refs > 1 {
		return t.exec("UPDATE payloads SET refs = refs - 1 WHERE id = ?", e.payload)
	}
	return t.exec("DELETE FROM payloads WHERE id = ?", e.payload)
}

// pruneSubjects deletes rows that nothing refers to. A drain that still has an
// epoch of one is fenced: a row made anew has none, and epochs are never given twice.
func (t *tx) pruneSubjects(numbers map[int64]bool) error {
	if err := t.flush(); err != nil {
		return err
	}
	t.forget()
	for number := range numbers {
		err := t.exec(`DELETE FROM subjects WHERE number = ? AND pending = 0 AND held = 0
			AND NOT EXISTS (SELECT 1 FROM events WHERE subject = ?)`, number, number)
		if err != nil {
			return err
		}
	}
	return nil
}

// pruneAudit deletes what operators did before a time. What was done to a subject
// that is held stays: it may be why.
func (t *tx) pruneAudit(before row.Time, limit int) error {
	return t.exec(`DELETE FROM audit WHERE id IN (SELECT a.id FROM audit a INDEXED BY audit_by_time
		WHERE a.at < ? AND NOT EXISTS (SELECT 1 FROM subjects s WHERE s.id = a.subject AND s.held = 1)
		ORDER BY a.at LIMIT ?)`, before, limit)
}
