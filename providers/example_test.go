package providers_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/holdfast-project/holdfast/providers"
)

// Parcels is a small dialect: an HMAC of the body in one header, one event in
// each body. It has no state and does no I/O.
type Parcels struct{ secret providers.Secret }

// Verify wants the HMAC of the body.
func (p *Parcels) Verify(r providers.Request) error {
	mac := hmac.New(sha256.New, []byte(p.secret.Reveal()))
	mac.Write(r.Body)
	given, err := hex.DecodeString(r.Header.Get("Parcels-Signature"))
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return fmt.Errorf("%w: the signature is wrong", providers.ErrNotGenuine)
	}
	return nil
}

// Parse reads one event. What a genuine request is that cannot be read is
// ErrNotUnderstood: it is kept, quarantined, for an operator to look at.
func (p *Parcels) Parse(r providers.Request) ([]providers.Event, error) {
	var body struct{ ID, Parcel, What string }
	if err := json.Unmarshal(r.Body, &body); err != nil || body.ID == "" || body.Parcel == "" {
		return nil, fmt.Errorf("%w: no id or no parcel", providers.ErrNotUnderstood)
	}
	return []providers.Event{{Type: "parcel." + body.What, Subject: body.Parcel, Key: body.ID}}, nil
}

// A provider answers two questions: is a request genuine, and which events are in
// it. Those that are listed in Dialects also have settings, samples and records;
// redo.go is the smallest of them.
func ExampleProvider() {
	var provider providers.Provider = &Parcels{secret: "s3cret"}
	body := []byte(`{"id":"e1","parcel":"p7","what":"arrived"}`)
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write(body)
	request := providers.Request{Method: http.MethodPost, Header: http.Header{}, Body: body}

	fmt.Println(provider.Verify(request))
	request.Header.Set("Parcels-Signature", hex.EncodeToString(mac.Sum(nil)))
	fmt.Println(provider.Verify(request))
	events, err := provider.Parse(request)
	fmt.Println(events[0].Type, events[0].Subject, events[0].Key, err)
	// Output:
	// not genuine: the signature is wrong
	// <nil>
	// parcel.arrived p7 e1 <nil>
}
