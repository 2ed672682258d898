package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-project/holdfast/providers/samples"
)

// shapes are the smallest bodies that the dialects read an event in. at is another
// time for each event of a subject; community is SocialBoards', as JSON. What is real
// in size is made of them by padding: to copy a real event for each would cost the
// bench more than it costs Holdfast to accept one.
var shapes = map[string]func(subject, at, community string) string{
	"redo": func(subject, at, _ string) string {
		return `{"type":"updated","at":"` + at + `","return":{"id":"` + subject + `","updatedAt":"` + at + `"}}`
	},
	"redox": func(subject, at, _ string) string {
		return `{"Meta":{"DataModel":"PatientAdmin","EventType":"Arrival","EventDateTime":"` + at + `","Logs":[{"ID":"` + subject + "-" + at +
			`"}]},"Patient":{"Identifiers":[{"ID":"` + subject + `","IDType":"MR"}]}}`
	},
	"redeam": func(subject, _, _ string) string {
		return `{"operation":"updated","supplierID":"bench","productID":"` + subject + `"}`
	},
	"socialboards": func(subject, at, community string) string {
		return `{"CommunityName":` + community + `,"EventType":"conversation_message_added","TicketId":"` + subject +
			`","Events":[{"ConversationId":"` + subject + `","EventTime":"` + at + `"}]}`
	},
}

// maker makes the events of one run. It is safe for concurrent use.
type maker struct {
	run       string // is part of each subject and each body
	provider  string
	options   samples.Options
	community string
	size      int
	began     time.Time
	padding   []byte
	seed      maphash.Seed
}

// Padding is a list of texts, because a parser reads those as it reads a real body:
// name by name. They are hexadecimal, because what is the same all over would be
// compressed to nothing.
const (
	paddingItem = 32      // "…", with its quotes and its comma
	paddingPool = 1 << 12 // how many places there are to begin at
	paddingName = `,"padding":[`
)

func newMaker(run string, o Options) *maker {
	m := &maker{run: run, provider: o.Provider, options: o.Signing, size: o.Size, began: time.Now(), seed: maphash.MakeSeed()}
	community, _ := json.Marshal(o.Signing.Community) // a string
	m.community = string(community)
	for range paddingPool + o.Size/paddingItem {
		text := fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
		m.padding = append(m.padding, `"`+text[:paddingItem-3]+`",`...)
	}
	return m
}

// event makes the webhook of a subject's n-th event, and the digest of its body.
func (m *maker) event(subject string, n int) (samples.Sample, string, error) {
	// The clock that only goes forward: no two events of a subject have one time.
	at := m.began.Add(time.Since(m.began)).UTC()
	o := m.options
	o.Subject, o.At, o.N = subject, at, n%2
	o.Body = []byte(shapes[m.provider](m.run+"-"+subject, at.Format("2006-01-02T15:04:05.000000Z07:00"), m.community))
	sample, err := samples.Make(m.provider, o)
	if err != nil {
		return samples.Sample{}, "", err
	}
	sample.Body = m.finish(sample.Body, subject, n)
	return sample, m.digest(sample.Body), nil
}

// markName leads to the mark, by which the destination knows an event whatever its
// dialect: the last thing in a body.
const markName = `,"holdfast_bench":"`

// finish adds padding and the mark to a JSON object. No dialect signs them.
func (m *maker) finish(object []byte, subject string, n int) []byte {
	mark := markName + m.run + "/" + subject + "/" + strconv.Itoa(n) + `"}`
	head := bytes.TrimSuffix(bytes.TrimSpace(object), []byte("}"))
	body := make([]byte, 0, max(m.size, len(head)+len(mark))+paddingItem)
	body = append(body, head...)
	if items := (m.size - len(head) - len(paddingName) - len(mark)) / paddingItem; items > 0 {
		from := rand.IntN(paddingPool) * paddingItem
		body = append(body, paddingName...)
		body = append(body, m.padding[from:from+items*paddingItem-1]...)
		body = append(body, ']')
	}
	return append(body, mark...)
}

// longestMark is what is looked at of a body's end.
const longestMark = 128

// readMark finds out which event a body is; not ok: no bench's.
func readMark(body []byte) (run, subject string, n int, ok bool) {
	end := body[max(0, len(body)-longestMark):]
	at := bytes.LastIndex(end, []byte(markName))
	if at < 0 {
		return "", "", 0, false
	}
	text, found := strings.CutSuffix(string(end[at+len(markName):]), `"}`)
	parts := strings.Split(text, "/")
	if !found || len(parts) != 3 {
		return "", "", 0, false
	}
	n, err := strconv.Atoi(parts[2])
	return parts[0], parts[1], n, err == nil
}

// digest tells whether a body is what was sent.
func (m *maker) digest(body []byte) string {
	return strconv.FormatUint(maphash.Bytes(m.seed, body), 36)
}
