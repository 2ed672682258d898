package activities

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers of a delivery. A destination that keeps the greatest
// HeaderSequence of each subject can refuse a delivery that comes late.
const (
	HeaderEventID        = "Holdfast-Event-Id"
	HeaderIdempotencyKey = "Idempotency-Key" // the same value
	HeaderSubject        = "Holdfast-Subject"
	HeaderSequence       = "Holdfast-Sequence"
	HeaderSource         = "Holdfast-Source"
	HeaderType           = "Holdfast-Type"
	HeaderAttempt        = "Holdfast-Attempt"          // from 1
	HeaderEventIndex     = "Holdfast-Event-Index"      // which of the request's events, from 0
	HeaderRelated        = "Holdfast-Related-Subjects" // percent-encoded, separated by commas, at most 4 KB
	HeaderRedo           = "Holdfast-Redo"             // how often a reset has reopened the event
	HeaderReplayOf       = "Holdfast-Replay-Of"        // sequence of the event that was replayed
)

// Destinations makes the handlers that are not Go code.
type Destinations struct {
	client  *http.Client
	signing []byte
	park    []int
	log     *slog.Logger
	now     func() time.Time
}

// NewDestinations reads what HTTP destinations need from valid settings.
func NewDestinations(c Config, log *slog.Logger) *Destinations {
	key, _ := signingKey(c.DestinationSecret) // Validate has reported the error
	transport := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		// As many idle connections as deliveries in flight: no destination is dialled
		// again in a steady stream.
		MaxIdleConnsPerHost:   c.DestinationConcurrency,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   5 * time.Second,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
	}
	return &Destinations{
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		signing: key, park: c.ParkStatuses, log: log, now: time.Now,
	}
}

// Close drops idle connections.
func (d *Destinations) Close() { d.client.CloseIdleConnections() }

// Log returns the handler of log: targets, which writes one line per delivery.
func (d *Destinations) Log() Handler {
	return Handler{Name: "log", Handle: func(ctx context.Context, e Event) error {
		d.log.LogAttrs(ctx, slog.LevelInfo, "delivered",
			slog.String("subject", e.Subject), slog.Int64("sequence", e.Sequence), slog.String("type", e.Type),
			slog.String("event_id", e.ID), slog.Int("attempt", e.Attempt), slog.Int("bytes", len(e.Body)))
		return nil
	}}
}

// HTTP returns the handler that posts events to a URL. Its name has neither the
// URL's user nor its query, where secrets may be.
func (d *Destinations) HTTP(target *url.URL) Handler {
	name := "POST " + target.Host + target.EscapedPath()
	return Handler{Name: name, destination: target.Host, Handle: func(ctx context.Context, e Event) error {
		request, err := d.request(ctx, target, e)
		if err != nil {
			return Critical(errors.New(name + ": the request cannot be made"))
		}
		response, err := d.client.Do(request)
		if err != nil {
			return &unreachableError{text: name + ": " + cause(err)}
		}
		defer response.Body.Close()
		readAway(response.Body)
		return d.judge(name, response)
	}}
}

func (d *Destinations) request(ctx context.Context, target *url.URL, e Event) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(e.Body))
	if err != nil {
		return nil, err
	}
	h := request.Header
	set := func(name, value string) {
		if value != "" {
			h.Set(name, headerSafe(value))
		}
	}
	set("Content-Type", e.ContentType)
	set("User-Agent", "Holdfast")
	set(HeaderEventID, e.ID)
	// Go's transport sends a request that has this header in its canonical case again
	// by itself when the connection breaks. An attempt is one request: another is
	// policy's to make, and a staging source gets none. HTTP ignores the case.
	h[strings.ToLower(HeaderIdempotencyKey)] = []string{headerSafe(e.ID)}
	set(HeaderSubject, e.Subject)
	set(HeaderSequence, strconv.FormatInt(e.Sequence, 10))
	set(HeaderSource, e.Source)
	set(HeaderType, e.Type)
	set(HeaderAttempt, strconv.Itoa(e.Attempt))
	set(HeaderEventIndex, strconv.Itoa(e.Index))
	if related := list(e.Related); related != "" {
		h.Set(HeaderRelated, related)
	}
	if e.Redo > 0 {
		set(HeaderRedo, strconv.Itoa(e.Redo))
	}
	if e.ReplayOf > 0 {
		set(HeaderReplayOf, strconv.FormatInt(e.ReplayOf, 10))
	}
	if d.signing != nil {
		signStandard(h, d.signing, e.ID, d.now(), e.Body)
	}
	return request, nil
}

// The answer's body is of no interest. A little of it is read, so that the
// connection can be used again, but not for long: it may never end.
const (
	uselessBytes = 64 << 10
	uselessTime  = 100 * time.Millisecond
)

func readAway(body io.ReadCloser) {
	defer time.AfterFunc(uselessTime, func() { _ = body.Close() }).Stop()
	_, _ = io.CopyN(io.Discard, body, uselessBytes)
}

// judge turns an answer into nil or a classified error.
func (d *Destinations) judge(name string, r *http.Response) error {
	status := r.StatusCode
	if status/100 == 2 {
		return nil
	}
	err := fmt.Errorf("%s: %d %s", name, status, http.StatusText(status))
	after := retryAfter(r.Header.Get("Retry-After"), d.now())
	switch {
	case slices.Contains(d.park, status):
		return Park(err)
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly,
		status == http.StatusTooManyRequests, status >= 500:
		return RetryAfter(after, err)
	default:
		return criticalAfter(after, err)
	}
}

// maxRetryAfter keeps the arithmetic of times from overflowing; it is no policy.
const maxRetryAfter = 10 * 365 * 24 * time.Hour

// retryAfter reads a Retry-After header: seconds, or a date. 0 means none.
func retryAfter(value string, now time.Time) time.Duration {
	// Out of range, ParseInt returns the nearest value.
	seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return max(0, time.Duration(min(seconds, int64(maxRetryAfter/time.Second)))*time.Second)
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(0, date.Sub(now)), maxRetryAfter)
	}
	return 0
}

// unreachableError is a destination that did not answer.
type unreachableError struct{ text string }

func (e *unreachableError) Error() string     { return e.text }
func (e *unreachableError) Unreachable() bool { return true }

// maxList keeps a list well under what servers take of a header, 8 KB and more.
const maxList = 4 << 10

// list percent-encodes values and joins them with commas; what exceeds maxList is
// left out, as a delivery that is refused for its headers would hold the subject.
func list(values []string) string {
	var all []string
	size := 0
	for _, v := range values {
		v = url.PathEscape(v)
		if size += len(v) + 1; size > maxList {
			break
		}
		all = append(all, v)
	}
	return strings.Join(all, ",")
}

// headerSafe percent-encodes a value that HTTP does not allow in a header or would
// trim, or that would look as if it had been encoded: two subjects never look the
// same to a destination that fences.
func headerSafe(value string) string {
	if strings.TrimSpace(value) != value {
		return url.PathEscape(value)
	}
	for _, b := range []byte(value) {
		if b < ' ' || b > '~' || b == '%' {
			return url.PathEscape(value)
		}
	}
	return value
}
