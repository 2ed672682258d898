package providers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// rotating is a secret and the one before it, each as its fingerprint. During a
// rotation both are good.
type rotating struct{ current, previous fingerprint }

func newRotating(current, previous Secret) rotating {
	return rotating{current.fingerprint(), previous.fingerprint()}
}

func (r rotating) accepts(given string) bool {
	shown := fingerprintOf(given)
	current, previous := r.current.equals(shown), r.previous.equals(shown)
	return current || previous
}

// notGenuine is ErrNotGenuine with the reason for the log.
func notGenuine(reason string) error { return fmt.Errorf("%w: %s", ErrNotGenuine, reason) }

// notUnderstood is ErrNotUnderstood with the reason for the operator, which
// never quotes the request.
func notUnderstood(reason string) error { return fmt.Errorf("%w: %s", ErrNotUnderstood, reason) }

var errHeader = errors.New("header")

// onlyHeader returns the value of a header that may be given once. A second
// value is an error even if both are equal: it is not what the sender does, and
// proxies differ in which of the two they look at.
func onlyHeader(h http.Header, name string) (value string, given bool, err error) {
	switch values := h.Values(name); len(values) {
	case 0:
		return "", false, nil
	case 1:
		return values[0], true, nil
	default:
		return "", true, fmt.Errorf("more than one %w %s", errHeader, strings.ToLower(name))
	}
}

// bearer returns the token of a Bearer authorization header.
func bearer(h http.Header) (token string, given bool, err error) {
	value, given, err := onlyHeader(h, "Authorization")
	if !given || err != nil {
		return "", given, err
	}
	scheme, token, found := strings.Cut(value, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", true, fmt.Errorf("the authorization %w is not of the Bearer scheme", errHeader)
	}
	return token, true, nil
}

// posted refuses every method that no live webhook has.
func posted(r Request) error {
	if r.Method != http.MethodPost {
		return notGenuine("the method is not POST")
	}
	return nil
}

// maxChallenge is the longest challenge that is echoed. The senders' are UUIDs
// and numbers; an endpoint that reflects anything longer serves somebody else.
const maxChallenge = 256

// echo answers an endpoint test with its challenge, as text because that is
// what all senders accept.
func echo(challenge string) (Answer, bool) {
	if challenge == "" || len(challenge) > maxChallenge {
		return Answer{}, false
	}
	return Answer{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: []byte(challenge)}, true
}

// deny answers a request without a word about why.
func deny(status int) Answer {
	return Answer{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(http.StatusText(status))}
}
