// Package sending makes requests as a webhook's sender does, and reads what the answer
// means to it: accepted, come again, or never.
package sending

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// Sender sends webhooks. It is safe for concurrent use.
type Sender struct{ client *http.Client }

// New makes a sender that keeps as many connections open as are used at a time, and
// waits patience for each answer.
func New(connections int, patience time.Duration) *Sender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, connections
	return &Sender{client: &http.Client{
		Timeout: patience, Transport: transport,
		// A sender follows no redirect, and its proof is for this address only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close drops idle connections.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Answer is what became of one request.
type Answer struct {
	// Begun and At are when the request was made, and when its answer had come.
	Begun, At time.Time
	// Status is 0 if there was no whole answer; Err says why.
	Status int
	Err    error
	// Body is the answer's, and Receipts what a 2xx says in it: none if that is not
	// the answer of a Holdfast, or was one to a handshake.
	Body     []byte
	Receipts []ingress.ReceiptJSON
	// Retry is the wait that the answer asks for; 0: none.
	Retry time.Duration
}

// Accepted tells whether the webhook is the receiver's business from now on.
func (a Answer) Accepted() bool { return a.Status/100 == 2 }

// Later tells whether the same request may be accepted at another time.
func (a Answer) Later() bool {
	switch a.Status {
	case 0, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	default:
		return a.Status >= http.StatusInternalServerError
	}
}

// Send makes one request to a source's URL.
func (s *Sender) Send(ctx context.Context, source string, sample samples.Sample) (a Answer) {
	a.Begun = time.Now()
	defer func() { a.At = time.Now() }()
	target, err := address(source, sample)
	if err != nil {
		a.Err = err
		return a
	}
	r, err := http.NewRequestWithContext(ctx, sample.Method, target, bytes.NewReader(sample.Body))
	if err != nil {
		a.Err = err
		return a
	}
	r.Header = sample.Header.Clone()
	answer, err := s.client.Do(r)
	if err != nil {
		a.Err = err
		return a
	}
	defer answer.Body.Close()
	if a.Body, err = io.ReadAll(answer.Body); err != nil {
		a.Err = fmt.Errorf("read the answer: %w", err)
		return a
	}
	a.Status = answer.StatusCode
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	a.Retry = time.Duration(max(seconds, 0)) * time.Second
	var told ingress.AcceptedJSON
	if a.Accepted() && json.Unmarshal(a.Body, &told) == nil {
		a.Receipts = told.Accepted
	}
	return a
}

// address adds to a source's URL what is the sample's own.
func address(source string, sample samples.Sample) (string, error) {
	if sample.Suffix == "" && len(sample.Query) == 0 {
		return source, nil
	}
	target, err := url.Parse(source)
	if err != nil {
		return "", err
	}
	if sample.Suffix != "" {
		target = target.JoinPath(sample.Suffix)
	}
	query := target.Query()
	for name, values := range sample.Query {
		query[name] = values
	}
	target.RawQuery = query.Encode()
	return target.String(), nil
}
