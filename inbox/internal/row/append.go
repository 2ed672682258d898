package row

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/holdfast-project/holdfast/inbox"
)

// CheckDelivery refuses what no store can keep, and returns the related subjects
// of each event as they are stored.
func CheckDelivery(d inbox.Delivery) ([]string, error) {
	if len(d.Events) == 0 {
		return nil, errors.New("append: a delivery without events")
	}
	related := make([]string, len(d.Events))
	for i, e := range d.Events {
		if e.Subject == "" && e.Quarantine == "" {
			return nil, fmt.Errorf("append: event %d has no subject and is not quarantined", i)
		}
		var err error
		if related[i], err = EncodeRelated(e.Related); err != nil {
			return nil, fmt.Errorf("append: event %d: %w", i, err)
		}
	}
	return related, nil
}

// EncodeRelated writes subject IDs as one text, byte for byte.
func EncodeRelated(subjects []string) (string, error) {
	if len(subjects) == 0 {
		return "", nil
	}
	storable := make([]string, len(subjects))
	for i, subject := range subjects {
		storable[i] = Text(subject) // JSON would replace what is not UTF-8
	}
	text, err := json.Marshal(storable)
	return string(text), err
}

// DecodeRelated reads what EncodeRelated wrote.
func DecodeRelated(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var subjects []string
	if err := json.Unmarshal([]byte(text), &subjects); err != nil {
		return nil, fmt.Errorf("related subjects: %w", err)
	}
	for i, subject := range subjects {
		subjects[i] = Plain(subject)
	}
	return subjects, nil
}

// Copy is an earlier use of an event's key.
type Copy struct {
	Sequence int64
	Digest   string
	Expires  Time
	Pending  bool // its event
}

// Known is what a key tells of a new event: the sequence of the event that it is a
// copy of, or else of one that used the key with another content.
type Known struct{ Same, Other int64 }

// Consider weighs one earlier use of e's key. A key lives at least as long as its
// event is pending, and an empty digest is equal to any.
func (k *Known) Consider(e *inbox.NewEvent, c Copy) {
	switch {
	case c.Expires.Over(TimeOf(e.ReceivedAt)) && !c.Pending:
	case k.Same == 0 && (c.Digest == e.Digest || c.Digest == "" || e.Digest == ""):
		k.Same = c.Sequence
	case k.Other == 0:
		k.Other = c.Sequence
	}
}

// Verdict is how an event that is no copy is to be stored.
type Verdict struct {
	Status  inbox.Status
	Reason  string
	Variant string // under which its key is remembered
}

// Judge decides how an event that is no copy is stored.
func (k Known) Judge(e *inbox.NewEvent) Verdict {
	v := Verdict{Status: inbox.StatusPending, Reason: e.Quarantine}
	if k.Other != 0 {
		v.Variant = e.Digest
		if v.Reason == "" {
			v.Reason = fmt.Sprintf("its key was used before with another content (sequence %d)", k.Other)
		}
	}
	if v.Reason != "" {
		v.Status = inbox.StatusQuarantined
	}
	return v
}

// Expires is when an event's key ends; none: with the event.
func Expires(e *inbox.NewEvent) Time {
	if e.KeyLife <= 0 {
		return Time{}
	}
	return TimeOf(e.ReceivedAt.Add(e.KeyLife))
}
