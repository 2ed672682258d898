package ingress

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers"
)

// receive takes one request through the door, step by step. The cheap steps that
// need no body come first, and nothing is stored before the request is genuine.
func (d *Door) receive(v *visit) (providers.Answer, error) {
	if err := d.find(v); err != nil {
		return providers.Answer{}, err
	}
	if v.request.Method != http.MethodPost {
		return v.withoutBody()
	}
	// No known sender compresses. What is signed and what is delivered is the body
	// as it was sent, and to unpack it for an unknown sender would be to let a few
	// bytes fill the memory.
	if slices.ContainsFunc(v.request.Header.Values("Content-Encoding"), compressed) {
		return providers.Answer{}, errEncoded
	}
	limit, err := d.judgeHeader(v)
	if err != nil {
		return providers.Answer{}, err
	}
	read, err := d.readBody(v.control, v.c.Request, limit)
	v.body = read
	if errors.Is(err, errTooLarge) && limit < d.maxBody {
		err = errUnproven
	}
	if err != nil {
		return providers.Answer{}, err
	}
	v.request.Body = read.bytes
	if answer, ok := v.handshake(); ok {
		return answer, nil
	}
	if err := v.source.Provider.Verify(v.request); err != nil {
		return providers.Answer{}, err
	}
	delivery, err := v.parse()
	if err != nil {
		return providers.Answer{}, err
	}
	v.receipts, err = d.append(v, delivery)
	if err != nil {
		return providers.Answer{}, err
	}
	return accepted(v.receipts), nil
}

func compressed(encoding string) bool {
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}

// find looks up the source that the path names.
func (d *Door) find(v *visit) error {
	request := v.c.Request
	source, known := d.sources[v.c.Param("source")]
	if !known {
		return errNoSource
	}
	v.source = source
	v.request = providers.Request{
		Method:     request.Method,
		Header:     request.Header,
		Suffix:     v.c.Param("suffix"),
		ReceivedAt: v.started.UTC(),
	}
	if request.URL.RawQuery != "" {
		v.request.Query = request.URL.Query()
	}
	if v.request.Suffix == "" {
		return nil
	}
	if suffixed, ok := source.Provider.(providers.Suffixed); !ok || !suffixed.AcceptsSuffix(v.request.Suffix) {
		return errNoSource
	}
	return nil
}

// judgeHeader refuses what the headers already prove wrong, and returns how long
// the body may be if they do not.
func (d *Door) judgeHeader(v *visit) (limit int64, err error) {
	verifier, ok := v.source.Provider.(providers.HeaderVerifier)
	if !ok {
		return d.maxBody, nil
	}
	proven, err := verifier.VerifyHeader(v.request)
	if err != nil || proven {
		return d.maxBody, err
	}
	return min(d.maxBody, providers.MaxUnproven), nil
}

// withoutBody answers what is not a POST: a handshake, or a look at what is allowed.
func (v *visit) withoutBody() (providers.Answer, error) {
	if answer, ok := v.handshake(); ok {
		return answer, nil
	}
	v.allow = "POST, OPTIONS"
	if _, ok := v.source.Provider.(providers.Handshaker); ok {
		v.allow = "GET, POST, OPTIONS"
	}
	if v.request.Method == http.MethodOptions {
		return providers.Answer{Status: http.StatusNoContent}, nil
	}
	return providers.Answer{}, errMethod
}

func (v *visit) handshake() (providers.Answer, bool) {
	if handshaker, ok := v.source.Provider.(providers.Handshaker); ok {
		answer, ok := handshaker.Handshake(v.request)
		v.handshook = ok
		return answer, ok
	}
	return providers.Answer{}, false
}

// parse makes a delivery of a genuine request. Only a query is an error:
// whatever else a provider cannot read is kept as quarantined, and so is what
// makes it panic, for it would do so each time the sender tries.
func (v *visit) parse() (inbox.Delivery, error) {
	delivery := inbox.Delivery{ContentType: contentType(v.request.Header), Body: v.request.Body}
	events, err := v.events()
	if errors.Is(err, providers.ErrQuery) {
		return delivery, err
	}
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("%w: the provider found no event in it", providers.ErrNotUnderstood)
	}
	if err != nil {
		v.reason = err.Error()
		delivery.Events = []inbox.NewEvent{v.source.quarantine(v.request.Body, v.reason, v.request.ReceivedAt)}
	}
	if len(events) > 0 {
		delivery.Events = make([]inbox.NewEvent, 0, len(events))
	}
	for i, event := range events {
		delivery.Events = append(delivery.Events, v.source.admit(event, i, v.request.ReceivedAt))
	}
	v.kind = delivery.Events[0].Type
	return delivery, nil
}

func (v *visit) events() (events []providers.Event, err error) {
	defer rescue(&err)
	events, err = v.source.Provider.Parse(v.request)
	if err != nil {
		return nil, err
	}
	return events, nil
}

// contentType returns the body's type as it was given, if that can be a header
// of a delivery at all.
func contentType(header http.Header) string {
	given := header.Get("Content-Type")
	if given == "" || given == jsonType {
		return given
	}
	if _, _, err := mime.ParseMediaType(given); err != nil || len(given) > maxSubject || unprintable(given) {
		return "application/octet-stream"
	}
	return given
}

// append makes a delivery durable. The sender's hanging up does not stop it: an
// event that made it to disk is rung at once. If the inbox is stuck, the sender is
// told so in time, and the body keeps its share of the memory until it is not.
func (d *Door) append(v *visit, delivery inbox.Delivery) ([]inbox.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d.appendTimeout)
	type outcome struct {
		receipts []inbox.Receipt
		err      error
	}
	done := make(chan outcome, 1)
	held := v.body
	v.body = nil
	go func() {
		defer cancel()
		var o outcome
		defer func() { done <- o }()
		defer held.release() // before the answer, so that its sender finds the room
		defer rescue(&o.err)
		o.receipts, o.err = d.inbox.Append(ctx, delivery)
		if o.err == nil && len(o.receipts) != len(delivery.Events) {
			o.err = fmt.Errorf("the inbox gave %d receipts for %d events", len(o.receipts), len(delivery.Events))
		}
		if o.err == nil {
			d.ring(o.receipts)
		}
	}()
	select {
	case o := <-done:
		return o.receipts, o.err
	case <-ctx.Done():
		select {
		case o := <-done: // both were ready
			return o.receipts, o.err
		default:
			return nil, errStuck
		}
	}
}

func (d *Door) ring(receipts []inbox.Receipt) {
	for _, receipt := range receipts {
		if receipt.Ring {
			d.bell.Ring(receipt.Subject)
		}
	}
}
