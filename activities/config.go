package activities

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-project/holdfast/providers"
)

// Config are the worker's settings, under the prefix HOLDFAST.
type Config struct {
	Routes                 []string         `desc:"where events go: a list of source/type=target, first match wins, * matches anything; targets: an http(s) URL, log:, go:NAME"`
	DestinationSecret      providers.Secret `split_words:"true" desc:"whsec_… key that signs deliveries the Standard Webhooks way; unset: not signed"`
	DestinationConcurrency int              `split_words:"true" default:"64" desc:"deliveries in flight to one destination, per worker"`
	FirstAttemptTimeout    time.Duration    `split_words:"true" default:"5s" desc:"time for an event's first attempt, at most 20s"`
	DeliveryTimeout        time.Duration    `split_words:"true" default:"30s" desc:"time for each further attempt"`
	RetryInitial           time.Duration    `split_words:"true" default:"1s" desc:"wait before the second attempt; doubles, with jitter"`
	RetryMaxInterval       time.Duration    `split_words:"true" default:"5m" desc:"longest wait between attempts, unless Retry-After asks for more"`
	RetryBudget            time.Duration    `split_words:"true" default:"1h" desc:"time that attempts and the waits between them may use up before the subject is held"`
	PauseInitial           time.Duration    `split_words:"true" default:"1h" desc:"first hold after a critical error; doubles while the attempt at its end fails"`
	PauseMax               time.Duration    `split_words:"true" default:"24h" desc:"longest hold, unless Retry-After asks for more"`
	ParkStatuses           []int            `split_words:"true" desc:"HTTP statuses that park the event instead of holding the subject, such as 404,410,422"`
	Linger                 time.Duration    `default:"0s" desc:"how long a run with nothing left waits for more before it completes"`
}

// maxFirstAttempt keeps a drain well under its local activity's timeout.
const maxFirstAttempt = 20 * time.Second

// Validate reports every bad setting at once, by environment name.
func (c Config) Validate() error {
	var problems []error
	bad := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("HOLDFAST_"+name+": "+format, args...))
	}
	positive := func(name string, d time.Duration) {
		if d <= 0 {
			bad(name, "%s is not a positive duration, such as 30s", d)
		}
	}
	if len(c.Routes) == 0 {
		bad("ROUTES", "is not set: say where events go, such as redo/*=https://app.example/hooks,*=log:")
	}
	if _, err := signingKey(c.DestinationSecret); err != nil {
		bad("DESTINATION_SECRET", "%v", err)
	}
	if c.DestinationConcurrency < 1 {
		bad("DESTINATION_CONCURRENCY", "%d is less than 1", c.DestinationConcurrency)
	}
	positive("FIRST_ATTEMPT_TIMEOUT", c.FirstAttemptTimeout)
	if c.FirstAttemptTimeout > maxFirstAttempt {
		bad("FIRST_ATTEMPT_TIMEOUT", "%s is more than %s; HOLDFAST_DELIVERY_TIMEOUT is for slow destinations", c.FirstAttemptTimeout, maxFirstAttempt)
	}
	positive("DELIVERY_TIMEOUT", c.DeliveryTimeout)
	positive("RETRY_INITIAL", c.RetryInitial)
	if c.RetryMaxInterval < c.RetryInitial {
		bad("RETRY_MAX_INTERVAL", "%s is less than HOLDFAST_RETRY_INITIAL (%s)", c.RetryMaxInterval, c.RetryInitial)
	}
	if c.RetryBudget < 0 {
		bad("RETRY_BUDGET", "%s is negative", c.RetryBudget)
	}
	positive("PAUSE_INITIAL", c.PauseInitial)
	if c.PauseMax < c.PauseInitial {
		bad("PAUSE_MAX", "%s is less than HOLDFAST_PAUSE_INITIAL (%s)", c.PauseMax, c.PauseInitial)
	}
	for _, status := range c.ParkStatuses {
		if status < 300 || status > 599 {
			bad("PARK_STATUSES", "%d is not a status from 300 to 599", status)
		}
	}
	if c.Linger < 0 {
		bad("LINGER", "%s is negative", c.Linger)
	}
	return errors.Join(problems...)
}

// signingKey decodes a Standard Webhooks secret; nil for an unset one.
func signingKey(s providers.Secret) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	text, found := strings.CutPrefix(s.Reveal(), "whsec_")
	if !found {
		return nil, errors.New("must begin with whsec_")
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("is not base64 after whsec_") // the cause would quote the secret
	}
	// 24 to 64 bytes is what the Standard Webhooks specification asks for.
	if len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("has %d bytes after decoding, not 24 to 64", len(key))
	}
	return key, nil
}
