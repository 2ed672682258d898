package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
)

// Append makes every event of a delivery durable, or none. When the queue is
// full it returns inbox.ErrOverloaded at once. If the context ends while the
// commit is under way, the delivery may be stored all the same; appended again,
// events with keys are then duplicates. The body must not be changed after the call.
func (s *Store) Append(ctx context.Context, d inbox.Delivery) ([]inbox.Receipt, error) {
	if len(d.Events) == 0 {
		return nil, errors.New("append: a delivery without events")
	}
	related := make([]string, len(d.Events))
	for i, e := range d.Events {
		if e.Subject == "" && e.Quarantine == "" {
			return nil, fmt.Errorf("append: event %d has no subject and is not quarantined", i)
		}
		var err error
		if related[i], err = encodeRelated(e.Related); err != nil {
			return nil, fmt.Errorf("append: event %d: %w", i, err)
		}
	}
	return writeOrRefuse(ctx, s, len(d.Body), func(t *tx) ([]inbox.Receipt, error) {
		return t.append(d, related)
	})
}

func encodeRelated(subjects []string) (string, error) {
	if len(subjects) == 0 {
		return "", nil
	}
	text, err := json.Marshal(subjects)
	return string(text), err
}

func (t *tx) append(d inbox.Delivery, related []string) ([]inbox.Receipt, error) {
	a := appending{tx: t, delivery: d}
	receipts := make([]inbox.Receipt, len(d.Events))
	for i := range d.Events {
		receipt, err := a.one(&d.Events[i], related[i])
		if err != nil {
			return nil, err
		}
		receipts[i] = receipt
	}
	if a.stored > 1 {
		_, err := t.exec("UPDATE payloads SET refs = ? WHERE id = ?", a.stored, a.payload)
		return receipts, err
	}
	return receipts, nil
}

// appending is a delivery on its way in. Its payload is stored with its first
// event that is no duplicate.
type appending struct {
	*tx
	delivery inbox.Delivery
	payload  int64
	stored   int
}

func (a *appending) one(e *inbox.NewEvent, related string) (inbox.Receipt, error) {
	same, other, err := a.remembered(e)
	if err != nil {
		return inbox.Receipt{}, err
	}
	if same != 0 {
		return a.duplicate(same)
	}
	status, reason, variant := inbox.StatusPending, e.Quarantine, ""
	if other != 0 {
		variant = e.Digest
		if reason == "" {
			reason = fmt.Sprintf("its key was used before with another content (sequence %d)", other)
		}
	}
	if reason != "" {
		status = inbox.StatusQuarantined
	}
	return a.store(e, related, status, reason, variant)
}

// remembered looks an event's key up. It returns the sequence of the event that
// this one is a copy of, or else of one that used the key with another content.
// A key lives at least as long as its event is pending.
func (a *appending) remembered(e *inbox.NewEvent) (same, other int64, err error) {
	if e.Key == "" {
		return 0, 0, nil
	}
	now := microsOf(e.ReceivedAt)
	err = a.all(`SELECT k.sequence, k.digest, k.expires_at, coalesce(e.status = 'pending', 0)
		FROM keys k LEFT JOIN events e ON e.sequence = k.sequence WHERE k.source = ? AND k.key = ? ORDER BY k.variant`,
		[]any{e.Source, e.Key}, func(rows *sql.Rows) error {
			var sequence int64
			var digest string
			var expires micros
			var pending bool
			if err := rows.Scan(&sequence, &digest, &expires, &pending); err != nil {
				return err
			}
			switch {
			case expires.set() && !expires.after(now) && !pending:
			case same == 0 && (digest == e.Digest || digest == "" || e.Digest == ""):
				same = sequence
			case other == 0:
				other = sequence
			}
			return nil
		})
	return same, other, err
}

func (a *appending) duplicate(sequence int64) (inbox.Receipt, error) {
	r := inbox.Receipt{Sequence: sequence, Duplicate: true}
	found, err := a.first(`SELECT e.event_id, e.status, coalesce(s.id, '') FROM events e
		LEFT JOIN subjects s ON s.number = e.subject WHERE e.sequence = ?`,
		[]any{sequence}, &r.EventID, &r.Status, &r.Subject)
	if err == nil && !found {
		err = a.check(fmt.Errorf("a key points to event %d, which does not exist", sequence))
	}
	return r, err
}

func (a *appending) store(e *inbox.NewEvent, related string, status inbox.Status, reason, variant string) (inbox.Receipt, error) {
	now := microsOf(e.ReceivedAt)
	record := eventRecord{
		eventID: e.EventID, source: e.Source, provider: e.Provider, eventType: e.Type, key: e.Key,
		at: microsOf(e.At), receivedAt: now, position: e.Index, related: related, staging: e.Staging,
		status: status, reason: reason,
	}
	receipt := inbox.Receipt{EventID: e.EventID, Subject: e.Subject, Status: status}
	if e.Subject != "" {
		r, err := a.subjectOrNew(e.Subject, e.SubjectName, e.Source)
		if err != nil {
			return receipt, err
		}
		record.subject = sql.NullInt64{Int64: r.number, Valid: true}
		if status == inbox.StatusPending {
			receipt.Ring = r.raise(now)
		}
	}
	if status != inbox.StatusPending {
		record.settledAt = now
	}
	var err error
	if record.payload, err = a.payloadID(); err != nil {
		return receipt, err
	}
	if receipt.Sequence, err = a.insertEvent(record); err != nil {
		return receipt, err
	}
	return receipt, a.remember(e, variant, receipt.Sequence)
}

func (a *appending) payloadID() (int64, error) {
	a.stored++
	if a.payload != 0 {
		return a.payload, nil
	}
	body := a.delivery.Body
	if body == nil {
		body = []byte{} // nil would be NULL
	}
	var err error
	a.payload, err = a.inserted("INSERT INTO payloads (refs, content_type, body) VALUES (1, ?, ?)", a.delivery.ContentType, body)
	return a.payload, err
}

func (a *appending) remember(e *inbox.NewEvent, variant string, sequence int64) error {
	if e.Key == "" {
		return nil
	}
	var expires micros
	if e.KeyLife > 0 {
		expires = microsOf(e.ReceivedAt.Add(e.KeyLife))
	}
	_, err := a.exec("INSERT OR REPLACE INTO keys (source, key, variant, sequence, digest, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
		e.Source, e.Key, variant, sequence, e.Digest, expires)
	return err
}
