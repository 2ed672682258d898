package providers

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // Redeam's guide says md5; it is used only where a deployment asks for it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// redeamKeys are the keys of a source: one per type, as Redeam generates one per
// rule, or one for all types without their own.
type redeamKeys struct {
	shared, previousShared Secret
	byType, previousByType map[string]Secret
}

// of returns the keys that may have signed a notification of a type. A type with
// a key of its own is not signed with the shared one, unless that is set as the
// previous key.
func (k redeamKeys) of(kind string) []Secret {
	current := k.shared
	if own, ok := k.byType[kind]; ok {
		current = own
	}
	var keys []Secret
	for _, key := range []Secret{current, k.previousByType[kind], k.previousShared} {
		if key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// redeamSum makes the sum of a time and a token, in lower-case hex.
type redeamSum func(key Secret, timestamp, token string) string

func hmacSum(key Secret, timestamp, token string) string {
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write([]byte(timestamp + token))
	return hex.EncodeToString(mac.Sum(nil))
}

func md5Sum(template string) redeamSum {
	return func(key Secret, timestamp, token string) string {
		signed := strings.NewReplacer("{key}", key.Reveal(), "{timestamp}", timestamp, "{token}", token).Replace(template)
		sum := md5.Sum([]byte(signed)) //nolint:gosec // see the import
		return hex.EncodeToString(sum[:])
	}
}

// redeamSignature is the signature object of a body.
type redeamSignature struct{ sum, timestamp, token text }

// Verify wants the sum of time and token under one of the type's keys, and a
// time within the tolerance. A notification without a token is signed over its
// time alone.
func (p *Redeam) Verify(r Request) error {
	if err := posted(r); err != nil {
		return err
	}
	body, err := readRedeam(r.Body)
	if err != nil {
		return notGenuine("the body is not JSON, so it has no signature")
	}
	signature := body.signature
	number, ok := decimal(signature.timestamp)
	if !ok {
		return notGenuine("signature.timestamp is missing or no Unix time")
	}
	if !signature.unambiguous(number) {
		return notGenuine("signature.token is not one that this kind of timestamp goes with")
	}
	keys := p.keys.of(r.Suffix)
	if len(keys) == 0 {
		return notGenuine("there is no security key for this type; add it to SECURITY_KEYS or set SECURITY_KEY")
	}
	matches := 0
	expected := 0
	for _, key := range keys {
		sum := p.sum(key, strconv.FormatInt(number, 10), string(signature.token))
		matches |= subtle.ConstantTimeCompare([]byte(sum), []byte(signature.sum))
		expected = len(sum)
	}
	if matches != 1 {
		if len(signature.sum) != expected {
			return notGenuine(fmt.Sprintf("signature.sum has %d characters instead of %d; see SIGNATURE", len(signature.sum), expected))
		}
		return notGenuine("signature.sum is wrong")
	}
	at, _ := unixTime(signature.timestamp)
	if at.Before(r.ReceivedAt.Add(-p.tolerance)) || at.After(r.ReceivedAt.Add(p.tolerance)) {
		return notGenuine("signature.timestamp is outside SIGNATURE_TOLERANCE")
	}
	return nil
}

var (
	uuid        = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	shiftedUUID = regexp.MustCompile(`^[0-9]{3}[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	redeamToken = regexp.MustCompile(`^[!-~]{0,1000}$`) // an id; it may be absent
)

// unambiguous keeps a signature from being split anew. What is signed is the
// time directly followed by the token, so a time in seconds and a token that
// begins with three digits are signed like a time in milliseconds and a token
// without them: a second key for one signature, which would carry other ids past
// the inbox. All other ways to move the border make a time far outside of any
// tolerance. So a time in milliseconds goes with a UUID only, and a time in
// seconds with anything but three digits and a UUID.
//
// A token is printable ASCII, because an md5 sum of key, time and token could
// otherwise be extended by whoever can put arbitrary bytes into the token.
func (s redeamSignature) unambiguous(timestamp int64) bool {
	token := string(s.token)
	if !redeamToken.MatchString(token) {
		return false
	}
	if timestamp >= milliseconds {
		return uuid.MatchString(token)
	}
	return !shiftedUUID.MatchString(token)
}
