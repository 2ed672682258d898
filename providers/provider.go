package providers

import (
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Errors that a Provider returns. The ingress branches on them with errors.Is;
// what wraps them may say more for the log, never a secret or a header value.
var (
	// ErrNotGenuine means that the proof is missing, wrong or too old. The sender
	// gets a 401 that says nothing about why; nothing is stored.
	ErrNotGenuine = errors.New("not genuine")

	// ErrNotUnderstood means that a genuine request has no shape we know. It is
	// stored as quarantined and answered 200, for an operator to look at.
	ErrNotUnderstood = errors.New("not understood")

	// ErrQuery means that the sender waits for data in the answer (Redox calls it
	// RESPOND). It is not an event: nothing is stored, and the answer is a 501.
	ErrQuery = errors.New("a query, not an event")
)

// Request is one HTTP request as it came in.
type Request struct {
	Method     string
	Header     http.Header
	Query      url.Values // nil when there is none
	Suffix     string     // the path after the source, without slashes: Redeam's notification type
	Body       []byte     // raw, as signed
	ReceivedAt time.Time
}

// Event is one thing that happened, as its sender tells it.
type Event struct {
	// Type is the sender's name for what happened, such as "return.updated".
	Type string
	// Subject is the provider's own id of what events are ordered by, without the source.
	Subject string
	// Key is equal for two deliveries of the same event and different otherwise.
	Key string
	// KeyLife is how long Key means the same event. Zero means as long as the
	// inbox keeps the event.
	KeyLife time.Duration
	// Digest, when not empty, must be equal for two deliveries with the same Key.
	// A delivery that brings a known Key with another Digest is quarantined.
	Digest string
	// At is when it happened. Zero means that the sender does not say.
	At time.Time
	// Related are other subjects it touches, such as the record that a patient
	// merge removes. Order is kept under Subject only.
	Related []string
}

// Answer is an HTTP response in the sender's own form.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// Provider is a sender's dialect with one source's secrets. It is safe for
// concurrent use.
type Provider interface {
	// Verify returns nil for a genuine request, else an error that is ErrNotGenuine.
	Verify(Request) error

	// Parse returns the events of a genuine request, in their order, at least one.
	// Its errors are ErrNotUnderstood and ErrQuery.
	Parse(Request) ([]Event, error)
}

// Handshaker is a Provider whose sender tests an endpoint before it uses it.
// Handshake returns ok when the request is such a test, and then the answer,
// which echoes the challenge only if the token was right.
type Handshaker interface {
	Handshake(Request) (answer Answer, ok bool)
}

// Refuser is a Provider whose sender expects refusals in a form of its own. It
// is asked for every answer that is not a 2xx; text is safe to show.
type Refuser interface {
	Refuse(r Request, status int, text string) Answer
}

// Suffixed is a Provider that reads Request.Suffix. For any other provider a
// path longer than the source's is a 404.
type Suffixed interface {
	// AcceptsSuffix tells whether requests to this path suffix may be verified.
	AcceptsSuffix(suffix string) bool
}
