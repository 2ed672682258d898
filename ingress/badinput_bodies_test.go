package ingress_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// templates are bodies of each dialect that make one event, with a place for its
// id, for anything else, and for what makes each another event.
var templates = map[string]string{
	"redo":         `{"type":"updated","at":"<n>","return":{"id":<id>},"x":<rest>}`,
	"redox":        `{"Meta":{"DataModel":"Notes","EventType":"New","Logs":[{"ID":"l<n>"}]},"Patient":{"Identifiers":[{"ID":<id>,"IDType":"MR"}]},"x":<rest>}`,
	"redeam":       `{"operation":"updated","productID":<id>,"x":<rest>,"n":<n>}`,
	"socialboards": `{"CommunityName":"<community>","EventType":"x","Events":[{"ConversationId":<id>,"EventTime":"<n>","x":<rest>}]}`,
}

// proofInBody tells which dialects cannot know a body that they cannot read.
func proofInBody(dialect string) bool { return dialect == "redeam" || dialect == "socialboards" }

func (o *outpost) filled(dialect, id, rest string) string {
	o.mu.Lock()
	o.samples++
	n := o.samples
	o.mu.Unlock()
	return strings.NewReplacer("<id>", id, "<rest>", rest, "<n>", fmt.Sprint(n),
		"<community>", o.settings["socialboards"]["COMMUNITY"]).Replace(templates[dialect])
}

// body sends a body with its sender's proof.
func (o *outpost) body(t *testing.T, dialect, body string) string {
	t.Helper()
	r := o.genuine(t, dialect, samples.Options{})
	if dialect == "redeam" { // the signature covers no more than a time and a token
		_, signature, _ := strings.Cut(string(r.body), `"signature":{`)
		signature, _, _ = strings.Cut(signature, "}")
		body = strings.Replace(body, "{", `{"signature":{`+signature+"},", 1)
	}
	r.body = []byte(body)
	return r.with("Content-Length", fmt.Sprint(len(body))).String()
}

// oddities are JSON, where nobody looks: their event is one like any other.
func oddities() map[string]string {
	names := strings.Builder{}
	for i := range 50_000 {
		fmt.Fprintf(&names, `"n%d":%d,`, i, i)
	}
	return map[string]string{
		"Deep":              strings.Repeat(`{"a":[`, 2500) + "1" + strings.Repeat("]}", 2500),
		"HugeNumber":        strings.Repeat("9", 100_000),
		"HugeExponent":      "1e999999999",
		"SmallestNumber":    "-1e-999999999",
		"InvalidUTF8":       "\"\xff\xc0\x80\"",
		"LoneSurrogate":     `"\ud800"`,
		"EscapedNUL":        `"\u0000"`,
		"ManyElements":      "[" + strings.Repeat("0,", 300_000) + "0]",
		"ManyNames":         "{" + names.String() + `"last":1}`,
		"RepeatedElsewhere": `1,"x":1`,
	}
}

// noJSON is read differently by each reader that reads it at all.
var noJSON = map[string]string{
	"TooDeep":           strings.Repeat(`{"a":[`, 50_000) + "1" + strings.Repeat("]}", 50_000), // for Go's decoder
	"DeepAndOpen":       strings.Repeat("[", 100_000),
	"NumberWithZeros":   "007",
	"HexNumber":         "0x7",
	"NaN":               "NaN",
	"Infinity":          "-Infinity",
	"NUL":               "\"\x00\"",
	"LineFeedInAString": "\"\n\"",
	"SingleQuotes":      "'x'",
	"Comment":           "1/* */",
	"TrailingComma":     "[1,]",
	"UnknownEscape":     `"\x"`,
}

// bodyAttacks are of genuine senders, and odd as JSON. Where the proof is in the
// headers all are accepted: as an event, if what we need of them is clear, and
// else as one that is quarantined. Where it is in the body, what cannot be read
// proves nothing.
func bodyAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	var rows []attack
	add := func(dialect, name, body string, stored []inbox.Status) {
		rows = append(rows, attack{dialect + " " + name, o.body(t, dialect, body), []int{200}, stored})
	}
	for dialect := range templates {
		for name, rest := range oddities() {
			add(dialect, name, o.filled(dialect, `"i"`, rest), pending)
		}
		good := o.filled(dialect, `"i"`, "1")
		add(dialect, "ByteOrderMark", "\xef\xbb\xbf"+good, pending)
		unreadable := map[string]string{
			"Spaces": strings.Repeat(" ", 10000), "NULs": strings.Repeat("\x00", 10000), "UTF16": utf16Of(good), "XML": "<return/>",
			"Null": "null", "Word": "true", "String": `"x"`, "List": "[" + good + "]", "Two": good + good, "HalfOfOne": good[:len(good)/2],
			"TwoByteOrderMarks": "\xef\xbb\xbf\xef\xbb\xbf" + good, "EmptyObject": "{}",
		}
		for name, rest := range noJSON {
			unreadable[name] = o.filled(dialect, `"i"`, rest)
		}
		for name, body := range unreadable {
			if add(dialect, name, body, quarantined); !proofInBody(dialect) {
				continue
			}
			row := &rows[len(rows)-1]
			row.statuses, row.stored = []int{401}, nil
		}
	}
	// Its whole body is compared with a redelivery's, so that all names count.
	add("redeam", "RepeatedElsewhere differently", o.filled("redeam", `"i"`, `1,"x":2`), quarantined)
	add("redo", "RepeatedElsewhere differently", o.filled("redo", `"i"`, `1,"x":2`), pending)
	return rows
}

func utf16Of(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(unit & 0xff))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}
