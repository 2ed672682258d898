package ingress

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"

	"github.com/holdfast-project/holdfast/providers"
)

// Why a request is refused, beside the reasons of the providers. The sender acts
// on the first eight, we on the rest.
var (
	errNoSource = errors.New("no such source")
	errMethod   = errors.New("method not allowed")
	errTooLarge = errors.New("body too large")
	errEncoded  = errors.New("compressed body")
	errSlow     = errors.New("body came too slowly")
	errBroken   = errors.New("body ended early")

	errHandshake = errors.New("the handshake was refused")

	// errUnproven is of a body that no handshake has, after headers without proof.
	errUnproven = fmt.Errorf("%w: the headers hold no proof and the body is longer than a handshake's", providers.ErrNotGenuine)

	errFull  = errors.New("too many bodies in flight")
	errStuck = errors.New("inbox did not answer in time")
)

// retryAfter, in seconds, is long enough for a full queue to drain and short
// enough for Redeam, which comes again only three times.
const retryAfter = "5"

// refusal maps an error to the status and the text that the sender gets. The
// text never says more than the sender may know. What we are unsure of is a 503,
// so that the sender tries again; never a 500, which Redeam does not retry.
func refusal(err error) (status int, text string) {
	switch {
	case errors.Is(err, errNoSource):
		return http.StatusNotFound, "not found"
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed, "method not allowed"
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, "body too large"
	case errors.Is(err, errEncoded):
		return http.StatusUnsupportedMediaType, "compressed bodies are not accepted: send without Content-Encoding"
	case errors.Is(err, errSlow):
		return http.StatusRequestTimeout, "the body came too slowly"
	case errors.Is(err, providers.ErrNotGenuine):
		return http.StatusUnauthorized, "unauthorized"
	case errors.Is(err, providers.ErrQuery):
		return http.StatusNotImplemented, "queries are not answered here"
	default:
		return http.StatusServiceUnavailable, "try again later"
	}
}

// refusedHandshake is the log's word on a handshake that a provider refused with
// this status; the provider gives no other.
func refusedHandshake(status int) error {
	if status == http.StatusUnauthorized {
		return fmt.Errorf("%w: the handshake's token is missing, wrong or given twice", providers.ErrNotGenuine)
	}
	return errHandshake
}

// panicError is a recovered panic. Its text leaves the value out, unless it is
// the runtime's own: a provider's could hold a piece of the payload.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	if cause, ok := e.value.(runtime.Error); ok {
		return "panic: " + cause.Error()
	}
	return fmt.Sprintf("panic with a %T", e.value)
}
