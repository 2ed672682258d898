package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// destination remembers in memory what a real one keeps in its database, in the
// same transaction as the work itself.
type destination struct {
	key    []byte // nil: deliveries are not signed
	status int
	out    io.Writer
	now    func() time.Time

	mu       sync.Mutex
	greatest map[string]int64 // sequence done, by subject
	done     map[string]bool  // by idempotency key
}

func newDestination(secret string, status int, out io.Writer) (*destination, error) {
	d := &destination{status: status, out: out, now: time.Now, greatest: map[string]int64{}, done: map[string]bool{}}
	if secret == "" {
		return d, nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return nil, errors.New("HOLDFAST_DESTINATION_SECRET is not whsec_ and base64")
	}
	d.key = key
	return d, nil
}

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if err := d.verify(r.Header, body); err != nil {
		fmt.Fprintf(d.out, "refused: %v\n", err)
		http.Error(w, "not genuine", http.StatusUnauthorized)
		return
	}
	what := d.handle(r.Header)
	fmt.Fprintf(d.out, "%s  sequence %s  %s  attempt %s: %s, answering %d\n", r.Header.Get("Holdfast-Subject"),
		r.Header.Get("Holdfast-Sequence"), r.Header.Get("Holdfast-Type"), r.Header.Get("Holdfast-Attempt"), what, d.status)
	w.WriteHeader(d.status)
}

// verify does what every Standard Webhooks library does.
func (d *destination) verify(h http.Header, body []byte) error {
	if d.key == nil {
		return nil
	}
	seconds, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil || d.now().Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return errors.New("webhook-timestamp is missing, or too old")
	}
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for given := range strings.SplitSeq(h.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(given), []byte(want)) {
			return nil
		}
	}
	return errors.New("webhook-signature is wrong")
}

// handle does the work, unless it is done, or the delivery is one that a frozen
// worker sent after another had gone on. What a reset has reopened is to be done
// again: its Holdfast-Redo is part of the key, and it may be behind.
func (d *destination) handle(h http.Header) string {
	subject, redo := h.Get("Holdfast-Subject"), h.Get("Holdfast-Redo")
	sequence, _ := strconv.ParseInt(h.Get("Holdfast-Sequence"), 10, 64)
	key := h.Get("Idempotency-Key") + "/" + redo
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.done[key]:
		return "done before"
	case sequence < d.greatest[subject] && redo == "":
		return "late, left alone"
	case d.status/100 != 2:
		return "not done"
	}
	d.done[key], d.greatest[subject] = true, max(sequence, d.greatest[subject])
	return "done"
}
