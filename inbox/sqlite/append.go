package sqlite

import (
	"context"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// Append makes every event of a delivery durable, or none. When the queue is
// full it returns inbox.ErrOverloaded at once. If the context ends while the
// commit is under way, the delivery may be stored all the same; appended again,
// events with keys are then duplicates. The body must not be changed after the call.
func (s *Store) Append(ctx context.Context, d inbox.Delivery) ([]inbox.Receipt, error) {
	related, err := row.CheckDelivery(d)
	if err != nil {
		return nil, err
	}
	return writeOrRefuse(ctx, s, len(d.Body), func(t *tx) ([]inbox.Receipt, error) {
		return t.append(d, related)
	})
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
		return receipts, t.exec("UPDATE payloads SET refs = ? WHERE id = ?", a.stored, a.payload)
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
	k := keyOf(e)
	known, err := a.known(e, k)
	if err != nil {
		return inbox.Receipt{}, err
	}
	if known.Same != 0 {
		return a.duplicate(known.Same)
	}
	if err := a.forgetKeys(known.over); err != nil {
		return inbox.Receipt{}, err
	}
	return a.store(e, related, k, known.Judge(e))
}

func (a *appending) duplicate(sequence int64) (inbox.Receipt, error) {
	r := inbox.Receipt{Sequence: sequence, Duplicate: true}
	if err := a.flushFresh(); err != nil {
		return r, err
	}
	found, err := a.first(`SELECT e.event_id, e.status, s.id FROM events e
		LEFT JOIN subjects s ON s.number = e.subject WHERE e.sequence = ?`,
		[]any{sequence}, func(c columns) { r.EventID, r.Status, r.Subject = c.text(), c.status(), c.text() })
	if err == nil && !found {
		err = a.check(fmt.Errorf("a key points to event %d, which does not exist", sequence))
	}
	return r, err
}

func (a *appending) store(e *inbox.NewEvent, related string, k keyed, v row.Verdict) (inbox.Receipt, error) {
	now := row.TimeOf(e.ReceivedAt)
	record := eventRecord{
		eventID: e.EventID, source: e.Source, provider: e.Provider, eventType: e.Type, key: e.Key,
		at: row.TimeOf(e.At), receivedAt: now, position: e.Index, related: related, staging: e.Staging,
		status: v.Status, reason: v.Reason, keyed: k,
	}
	receipt := inbox.Receipt{EventID: e.EventID, Subject: e.Subject, Status: v.Status}
	if e.Subject != "" {
		r, err := a.subjectOrNew(e.Subject, e.SubjectName, e.Source)
		if err != nil {
			return receipt, err
		}
		record.subject = reference(r.Number)
		if v.Status == inbox.StatusPending {
			receipt.Ring = r.Raise(now)
		}
	}
	if v.Status != inbox.StatusPending {
		record.settledAt = now
	}
	var err error
	if record.payload, err = a.payloadID(); err != nil {
		return receipt, err
	}
	receipt.Sequence, err = a.insertEvent(record)
	return receipt, err
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
