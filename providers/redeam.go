package providers

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
)

// Redeam sends hints: the ids of what changed, to be fetched afterwards. Its
// signature covers a time and a token but not the ids, so whoever holds one
// signature can put other ids beside it. The token is therefore the key and the
// rest of the body the Digest: a token that comes back with another body is
// caught by the inbox.
type Redeam struct {
	keys      redeamKeys
	sum       redeamSum
	tolerance time.Duration
}

// redeamSuffix is what a path may end in: nothing in the body names the
// notification's type, so each type has a URL of its own. Types we have not
// heard of are ordinary ones.
var redeamSuffix = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// AcceptsSuffix takes any single word, and nothing for one URL shared by all types.
func (p *Redeam) AcceptsSuffix(suffix string) bool {
	return suffix == "" || redeamSuffix.MatchString(suffix)
}

// redeamBody is picked by name, because names are case-sensitive and what is
// verified must be what is parsed: of a repeated name both take the last.
type redeamBody struct {
	timestamp, operation             text
	supplier, product, rate, booking text
	signature                        redeamSignature
}

func readRedeam(b []byte) (redeamBody, error) {
	b, err := valid(b)
	if err != nil {
		return redeamBody{}, err
	}
	fields := pick(b, "signature", "timestamp", "operation", "supplierID", "productID", "rateID", "bookingID")
	signature := pick(fields[0], "sum", "timestamp", "token")
	return redeamBody{
		timestamp: textOf(fields[1]), operation: textOf(fields[2]),
		supplier: textOf(fields[3]), product: textOf(fields[4]), rate: textOf(fields[5]), booking: textOf(fields[6]),
		signature: redeamSignature{sum: textOf(signature[0]), timestamp: textOf(signature[1]), token: textOf(signature[2])},
	}, nil
}

func textOf(value json.RawMessage) text {
	var t text
	_ = t.UnmarshalJSON(value) // never fails
	return t
}

// Parse makes one event. Its type comes from the path, or from the fields that
// are there if all types share one URL; its subject is the product, not the
// rate, so that work on one product never runs in parallel.
func (p *Redeam) Parse(r Request) ([]Event, error) {
	body, err := readRedeam(r.Body)
	if err != nil {
		return nil, err
	}
	supplier, product, booking := body.supplier, body.product, body.booking
	operation := first(body.operation, "updated")
	kind := first(text(r.Suffix), redeamType(body, operation))

	subject := first(product, supplier, booking)
	switch {
	case kind == "booking" && booking != "":
		subject = booking
	case supplier != "" && product != "":
		subject = supplier + "/" + product
	}
	if kind == "" || subject == "" {
		return nil, notUnderstood("the body has no bookingID, productID or supplierID")
	}

	tree, err := redeamTree(r.Body)
	if err != nil {
		return nil, err
	}
	delete(tree, "signature")
	hash := digest(append([]byte(r.Suffix+"\n"), canonical(tree)...))
	key := body.signature.token
	if key == "" {
		key = "sha256:" + text(hash) + "-" + body.signature.timestamp
	}
	event := Event{Type: string(kind + "." + operation), Subject: string(subject), Key: string(key), Digest: hash}
	event.At = redeamTime(body.timestamp, body.signature.timestamp)
	return legible([]Event{event})
}

// redeamTree is everything that the signature does not cover. In it every name
// counts: two bodies that differ must not have one digest.
func redeamTree(b []byte) (map[string]any, error) {
	b, err := valid(b)
	if err != nil {
		return nil, err
	}
	tree, err := decodeTree(b)
	if err != nil {
		return nil, err
	}
	if err := unambiguous(b); err != nil {
		return nil, notUnderstood(err.Error())
	}
	return tree, nil
}

// redeamType guesses from the fields, which cannot tell a rate from its
// availability or its prices.
func redeamType(body redeamBody, operation text) text {
	switch {
	case body.booking != "":
		return "booking"
	case body.rate != "":
		return "rate"
	case body.product != "" && (operation == "created" || operation == "removed"):
		return "channelbinding"
	case body.product != "":
		return "product"
	case body.supplier != "":
		return "supplier"
	default:
		return ""
	}
}

// milliseconds is where a Unix time stops to be in seconds: year 33658.
const milliseconds = 1_000_000_000_000

// unixTime reads seconds or milliseconds, written in at most 16 digits.
func unixTime(t text) (time.Time, bool) {
	n, ok := decimal(t)
	switch {
	case !ok:
		return time.Time{}, false
	case n >= milliseconds:
		return time.UnixMilli(n).UTC(), true
	default:
		return time.Unix(n, 0).UTC(), true
	}
}

// redeamTime is the first of the times given that can be read. Redeam's guide
// speaks of a timestamp beside the signature's without showing one.
func redeamTime(of ...text) time.Time {
	for _, t := range of {
		if at, ok := unixTime(t); ok {
			return at
		}
		if at := t.time(); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

func decimal(t text) (int64, bool) {
	if t == "" || len(t) > 16 || len(t) > 1 && t[0] == '0' {
		return 0, false
	}
	for _, digit := range t {
		if digit < '0' || digit > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(string(t), 10, 64)
	return n, err == nil
}
