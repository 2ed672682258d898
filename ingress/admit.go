package ingress

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers"
)

const (
	maxSubject = 255  // bytes; the SQL stores of Temporal cut longer workflow IDs
	maxType    = 200  // bytes; a longer one is no type, and would be a header of its own size
	maxKey     = 200  // bytes; a longer one is stored as its hash
	maxName    = 1024 // bytes; a longer one would not fit into every database's index
	maxReason  = 500  // bytes
	// hmacDigits of 4 bits are 128 bits: two of 2^48 subjects meet by accident with
	// a chance below one in 2^32, and the ID can still be read in a table.
	hmacDigits = 32

	// What begins with one of these would look like a hash of ours, and is hashed.
	hashPrefix = "sha256:"
	hmacPrefix = "hmac:"
	bodyPrefix = "body:"
)

// admit makes the inbox's event of a provider's. It never fails: what the inbox
// could not order or route is quarantined with its reason.
func (s Source) admit(e providers.Event, index int, receivedAt time.Time) inbox.NewEvent {
	admitted := inbox.NewEvent{
		EventID:    newID(),
		Source:     s.Name,
		Provider:   s.Dialect,
		Type:       e.Type,
		Key:        compact(e.Key),
		KeyLife:    e.KeyLife,
		Digest:     compact(e.Digest),
		At:         plausible(e.At),
		ReceivedAt: receivedAt,
		Index:      index,
		Staging:    s.Common.Staging,
	}
	if e.Subject == "" {
		admitted.Quarantine = "the event has no subject"
	} else {
		name := s.Name + "/" + e.Subject
		admitted.Subject = s.subjectID(name)
		admitted.SubjectName = clean(name, maxName)
	}
	for _, related := range e.Related {
		if related != "" {
			admitted.Related = append(admitted.Related, s.subjectID(s.Name+"/"+related))
		}
	}
	if len(e.Type) > maxType || unprintable(e.Type) {
		admitted.Type = ""
		admitted.Quarantine = "the event's type is longer than 200 bytes or has control characters"
	}
	return admitted
}

// quarantine makes the one event of a genuine request that could not be read.
// Its key is the body's hash, so that a redelivery of it is a duplicate.
func (s Source) quarantine(body []byte, reason string, receivedAt time.Time) inbox.NewEvent {
	sum := sha256.Sum256(body)
	return inbox.NewEvent{
		EventID:    newID(),
		Source:     s.Name,
		Provider:   s.Dialect,
		Key:        bodyPrefix + hex.EncodeToString(sum[:]),
		ReceivedAt: receivedAt,
		Staging:    s.Common.Staging,
		Quarantine: clean(reason, maxReason),
	}
}

// subjectID is the workflow ID of a provider's own id, which is given behind the
// source's name. Different ids have different subject IDs: an id that looks like a
// hash is hashed itself.
func (s Source) subjectID(name string) string {
	id := name[len(s.Name)+1:]
	if key := s.Common.SubjectHashKey; key != "" {
		mac := hmac.New(sha256.New, []byte(key.Reveal()))
		mac.Write([]byte(id))
		return s.Name + "/" + hmacPrefix + hex.EncodeToString(mac.Sum(nil))[:hmacDigits]
	}
	if len(name) <= maxSubject && sendable(id) &&
		!strings.HasPrefix(id, hashPrefix) && !strings.HasPrefix(id, hmacPrefix) {
		return name
	}
	return s.Name + "/" + hashed(id)
}

// compact is a text that any store can index: itself, or its hash. Different
// texts stay different.
func compact(text string) string {
	if len(text) > maxKey || unprintable(text) ||
		strings.HasPrefix(text, hashPrefix) || strings.HasPrefix(text, bodyPrefix) {
		return hashed(text)
	}
	return text
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// sendable tells whether an id may be in a workflow ID: Temporal's client puts it
// into a gRPC header, which holds printable ASCII and loses spaces at its ends.
func sendable(id string) bool {
	return strings.TrimSpace(id) == id && !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' })
}

func unprintable(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl)
}

// clean makes a text for people: valid, on one line, and not longer than limit.
func clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// plausible drops a time that no event has and no store could hold.
func plausible(t time.Time) time.Time {
	if t.Year() < 1970 || t.Year() >= 2200 {
		return time.Time{}
	}
	return t.UTC()
}

// newID is a UUID that sorts by time, which keeps indexes over it compact.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
