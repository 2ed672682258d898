package ingress

import (
	"encoding/json"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers"
)

const (
	// answerTimeout is how long a sender may take to read its answer.
	answerTimeout = 10 * time.Second

	// lingerTimeout is how long the rest of a refused body is still taken in, so
	// that a sender that sends it all before it reads can read why.
	lingerTimeout = time.Second
)

// The values of headers that every answer has, or most. Nobody changes them.
var (
	nosniff = []string{"nosniff"}
	noStore = []string{"no-store"}
	isJSON  = []string{jsonType}
)

const jsonType = "application/json"

// visit is one request on its way through the door, and what its log line needs.
type visit struct {
	c         *gin.Context
	control   *http.ResponseController
	started   time.Time
	requestID string
	source    Source // empty: unknown
	request   providers.Request
	body      *body
	allow     string // methods, for those who use another
	handshook bool

	kind     string // of the first event
	receipts []inbox.Receipt
	reason   string // of a quarantined request
}

// serve answers one request, whatever happens, and logs and counts it once.
func (d *Door) serve(c *gin.Context) {
	v := &visit{
		c: c, control: http.NewResponseController(c.Writer),
		started: d.now(), requestID: requestID(c.Request.Header),
	}
	answer, err := d.guarded(v)
	if err != nil {
		answer = v.refuse(err)
	}
	if answer.Status < 200 || answer.Status > 599 || answer.Status == http.StatusInternalServerError {
		answer.Status = http.StatusServiceUnavailable // a provider's mistake is not the sender's
	}
	v.write(answer, err)
	d.report(v, answer.Status, err)
}

// guarded turns a panic into an error: the sender gets a 503 and comes again.
func (d *Door) guarded(v *visit) (answer providers.Answer, err error) {
	defer func() {
		if v.body != nil {
			v.body.release()
		}
	}()
	defer rescue(&err)
	return d.receive(v)
}

// rescue is to be deferred. It makes an error of a panic.
func rescue(err *error) {
	if value := recover(); value != nil {
		*err = &panicError{value: value, stack: debug.Stack()}
	}
}

// refuse forms the answer to an error, in the sender's own form if it has one.
func (v *visit) refuse(err error) (answer providers.Answer) {
	status, text := refusal(err)
	body, _ := json.Marshal(map[string]string{"error": text})
	plain := providers.Answer{Status: status, ContentType: jsonType, Body: body}
	refuser, ok := v.source.Provider.(providers.Refuser)
	if !ok {
		return plain
	}
	defer func() {
		if recover() != nil {
			answer = plain
		}
	}()
	answer = refuser.Refuse(v.request, status, text)
	if answer.Status < 300 {
		answer.Status = status // a refusal is never a yes
	}
	return answer
}

// write sends the answer. After a refusal that left the body unread, the
// connection is closed rather than drained at the sender's pace.
func (v *visit) write(answer providers.Answer, err error) {
	w := v.c.Writer
	header := w.Header()
	header["X-Request-Id"] = []string{v.requestID}
	header["X-Content-Type-Options"] = nosniff
	header["Cache-Control"] = noStore
	switch answer.Status {
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", retryAfter)
	case http.StatusUnsupportedMediaType:
		header.Set("Accept-Encoding", "identity")
	}
	if err != nil && v.request.Body == nil && v.c.Request.ContentLength != 0 {
		header.Set("Connection", "close")
	}
	if v.allow != "" {
		header.Set("Allow", v.allow)
	}
	if header.Get("Connection") == "close" {
		_ = v.control.SetReadDeadline(time.Now().Add(lingerTimeout))
	}
	_ = v.control.SetWriteDeadline(time.Now().Add(answerTimeout))
	w.WriteHeader(answer.Status)
	if len(answer.Body) == 0 {
		w.WriteHeaderNow()
		return
	}
	header["Content-Type"] = isJSON
	if answer.ContentType != jsonType {
		header["Content-Type"] = []string{answer.ContentType}
	}
	_, _ = w.Write(answer.Body) // a sender that does not read it comes again
}

// requestID takes over a sane X-Request-Id, so that a proxy's log and ours can be
// joined, and makes one up otherwise.
func requestID(header http.Header) string {
	given := header.Get("X-Request-Id")
	if given == "" || len(given) > 64 || strings.ContainsFunc(given, notRequestIDRune) {
		return newID()
	}
	return given
}

func notRequestIDRune(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	digit := r >= '0' && r <= '9'
	return !letter && !digit && r != '-' && r != '_' && r != '.'
}
