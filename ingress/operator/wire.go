package operator

import (
	"encoding/json"
	"time"
)

// The paths of the API. Sequence paths continue with "/{sequence}" and
// "/{sequence}/payload"; subjects are named by the parameter id, because their
// IDs contain slashes.
const (
	PathEvents        = "/api/v1/events"
	PathReplay        = "/api/v1/events/replay"
	PathSubjects      = "/api/v1/subjects"
	PathSubject       = "/api/v1/subject"
	PathSubjectAudit  = "/api/v1/subject/audit"
	PathSubjectPause  = "/api/v1/subject/pause"
	PathSubjectResume = "/api/v1/subject/resume"
	PathSubjectPark   = "/api/v1/subject/park"
)

const timeLayout = "2006-01-02T15:04:05.000000Z"

// Time is a moment in JSON: RFC 3339 in UTC with microseconds, null when zero.
type Time struct{ time.Time }

// MarshalJSON writes RFC 3339 in UTC with microseconds, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.UTC().Format(timeLayout) + `"`), nil
}

// UnmarshalJSON reads any RFC 3339 time, or null.
func (t *Time) UnmarshalJSON(data []byte) error {
	*t = Time{}
	return json.Unmarshal(data, &t.Time)
}

// EventJSON is an event. Every field is always there; a time or number that
// there is none of is null.
type EventJSON struct {
	Sequence   int64    `json:"sequence"`
	EventID    string   `json:"event_id"`
	Source     string   `json:"source"`
	Provider   string   `json:"provider"`
	Subject    string   `json:"subject"` // empty: quarantined, and of no known subject
	Type       string   `json:"type"`
	Key        string   `json:"key"`
	At         Time     `json:"at"` // when it happened, as the sender says
	ReceivedAt Time     `json:"received_at"`
	Status     string   `json:"status"` // pending, delivered, parked, failed or quarantined
	Attempts   int      `json:"attempts"`
	Reason     string   `json:"reason"`
	Handler    string   `json:"handler"`
	SettledAt  Time     `json:"settled_at"`
	Run        string   `json:"run"`       // that settled it: its ID in Temporal, or "relief/" and more; empty: none did
	ReplayOf   *int64   `json:"replay_of"` // sequence of the event it is a copy of
	Index      int      `json:"index"`     // which of its request's events, from 0
	Related    []string `json:"related"`   // subject IDs
	Staging    bool     `json:"staging"`
	Redo       int      `json:"redo"` // how often a reset reopened it
}

// SubjectJSON is a subject. Every field is always there; a time that there is
// none of and the head of an empty queue are null.
type SubjectJSON struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"` // ID before it was hashed or shortened
	Source     string     `json:"source"`
	State      string     `json:"state"`   // idle, pending, retrying or held
	Pending    int        `json:"pending"` // events
	Head       *EventJSON `json:"head"`    // first pending event
	Held       bool       `json:"held"`
	HeldUntil  Time       `json:"held_until"` // null: until an operator resumes it
	HeldBy     string     `json:"held_by"`    // "holdfast" when the failure policy holds it
	HeldReason string     `json:"held_reason"`
	NextWake   Time       `json:"next_wake"` // no attempt before
	LastError  string     `json:"last_error"`
	FailedAt   Time       `json:"failed_at"` // when last_error happened
	Failures   int        `json:"failures"`  // attempts of the head that failed in a row
	Holds      int        `json:"holds"`     // in a row, by the failure policy
	Epoch      int64      `json:"epoch"`
}

// EventsJSON is a page of events, in sequence order.
type EventsJSON struct {
	Events []EventJSON `json:"events"`
	// NextAfter is the parameter after of the next page; null: this is the last one.
	NextAfter *int64 `json:"next_after"`
}

// SubjectsJSON is a page of subjects, in the order of their IDs.
type SubjectsJSON struct {
	Subjects []SubjectJSON `json:"subjects"`
	// NextAfter is the parameter after of the next page; null: this is the last one.
	NextAfter *string `json:"next_after"`
}

// VerbRequest is the body of pause, resume and park. The answer is a SubjectJSON.
type VerbRequest struct {
	Reason string `json:"reason,omitempty"` // park needs one
	By     string `json:"by,omitempty"`     // default "operator API"
	// Sequence is the event to park: a verb never hits another event than the one
	// the operator saw.
	Sequence int64 `json:"sequence,omitempty"`
	// Until ends a pause: an RFC 3339 time, or a duration from now such as "2h".
	Until string `json:"until,omitempty"`
	// RequestID makes the verb idempotent, so that it can be sent again after a
	// lost answer.
	RequestID string `json:"request_id,omitempty"`
}

// ReplayRequest asks for copies of settled events: the named sequences, or at
// least one filter. The filters are those of the list of events.
type ReplayRequest struct {
	Sequences []int64 `json:"sequences,omitempty"`

	Subject string `json:"subject,omitempty"`
	Source  string `json:"source,omitempty"`
	Status  string `json:"status,omitempty"`
	Type    string `json:"type,omitempty"`
	From    string `json:"from,omitempty"` // RFC 3339, received at or after
	To      string `json:"to,omitempty"`   // RFC 3339, received before
	After   int64  `json:"after,omitempty"`
	Limit   int    `json:"limit,omitempty"` // of the copies of this call; default 1,000

	DryRun bool   `json:"dry_run,omitempty"`
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// ReplayJSON says what a replay did, or with dry_run would do.
type ReplayJSON struct {
	Events  []EventJSON `json:"events"` // the copies; in a dry run the originals
	DryRun  bool        `json:"dry_run"`
	Skipped int         `json:"skipped"` // matched, but pending or of no known subject
	// NextAfter is the field after of the next call; null: everything was seen.
	NextAfter *int64 `json:"next_after"`
}

// AuditJSON is what operators did to a subject, the newest first.
type AuditJSON struct {
	Audit []AuditEntryJSON `json:"audit"`
}

// AuditEntryJSON is a verb that was carried out, or a replay.
type AuditEntryJSON struct {
	At       Time   `json:"at"`
	Verb     string `json:"verb"` // pause, resume, park or replay
	Subject  string `json:"subject"`
	Sequence *int64 `json:"sequence"`
	Reason   string `json:"reason"`
	By       string `json:"by"`
	Until    Time   `json:"until"`
}

// ErrorJSON is the body of every answer that is not a 2xx. Its text is for people.
type ErrorJSON struct {
	Error string `json:"error"`
}

// ReadyJSON is the body of /readyz. Its status is 200 if Ready, else 503.
type ReadyJSON struct {
	Ready bool `json:"ready"`
	// Checks holds "ok" or what is wrong, by the name of the check.
	Checks map[string]string `json:"checks"`
}
