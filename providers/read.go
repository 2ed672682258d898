package providers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// decode reads a whole body into a struct or map. A value of another type than
// expected counts as absent, so that an odd field far from what we need does not
// make an event unreadable. Of what we need everything must be unambiguous.
func decode(body []byte, into any) error {
	body, err := valid(body)
	if err != nil {
		return err
	}
	if err := fill(body, into); err != nil {
		return notUnderstood(err.Error())
	}
	return nil
}

// errNotJSON says no more because the decoder's own text quotes the body.
var errNotJSON = notUnderstood("the body is not JSON")

// valid returns the JSON of a body.
func valid(body []byte) ([]byte, error) {
	if body = bytes.TrimPrefix(body, []byte(byteOrderMark)); !wellFormed(body) {
		return nil, errNotJSON
	}
	return body, nil
}

// byteOrderMark is what some .NET senders put before their JSON.
const byteOrderMark = "\xef\xbb\xbf"

// maxNodes is how many values a tree may have. Each takes some hundred bytes,
// and may have been two in the body.
const maxNodes = 500_000

// decodeTree reads a valid body, whole, with its numbers as they came. Of a
// repeated name the last one counts.
func decodeTree(body []byte) (map[string]any, error) {
	body = bytes.TrimPrefix(body, []byte(byteOrderMark))
	if nodes(body) > maxNodes {
		return nil, notUnderstood("the body has too many values to be compared with a redelivery's")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		return nil, nil // no object: nothing to compare
	}
	return tree, nil
}

// text is an id or a name that senders write as a string or as a number. Its
// digits are kept as they came; null and anything else is empty.
type text string

// UnmarshalJSON never fails: see decode.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) > 1 && b[0] == '"' && plain(b[1:len(b)-1]):
		*t = text(b[1 : len(b)-1])
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err == nil {
			*t = text(s)
		}
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		*t = text(b)
	}
	return nil
}

func (t text) time() time.Time {
	at, err := time.Parse(time.RFC3339, string(t))
	if err != nil {
		return time.Time{}
	}
	return at
}

// first returns the first that is not empty.
func first(of ...text) text {
	for _, t := range of {
		if t != "" {
			return t
		}
	}
	return ""
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// canonical encodes a decoded JSON value so that equal values have equal bytes.
func canonical(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil // not of the decoder's making; it makes nothing that cannot be encoded
	}
	return b
}

// maxKey is the longest idempotency key that is kept as the sender gave it.
const maxKey = 200

// fit replaces keys that are too long to be an index entry, or that a database
// or a header cannot hold, by their hash.
func fit(key string) string {
	if len(key) > maxKey || !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
		return "sha256:" + digest([]byte(key))
	}
	return key
}

// legible refuses events whose names lost characters when the body was decoded
// (bytes that are no UTF-8 become U+FFFD): two different ids could have become
// one. The rest of a body may contain such bytes.
func legible(events []Event) ([]Event, error) {
	for i := range events {
		e := &events[i]
		for _, name := range append([]string{e.Type, e.Subject, e.Key}, e.Related...) {
			if strings.ContainsRune(name, utf8.RuneError) {
				return nil, notUnderstood("a type or an id is not valid UTF-8")
			}
		}
		e.Key = fit(e.Key)
	}
	return events, nil
}
