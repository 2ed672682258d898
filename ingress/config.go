package ingress

import (
	"errors"
	"fmt"
	"net"
)

// Config is the door's settings, under the prefix HOLDFAST. LoadSources checks
// Sources.
type Config struct {
	Listen  string   `default:":8080" desc:"address that webhooks are received on"`
	Sources []string `desc:"comma-separated sources: a provider's name, or name=provider; names are lower-case letters and digits"`
	// The largest body that any sender documents is 40 MB (Redox).
	MaxBody           int64 `split_words:"true" default:"41943040" desc:"largest accepted body, in bytes"`
	MaxBodiesInFlight int64 `split_words:"true" default:"268435456" desc:"most bytes that the bodies of all requests together may hold in memory"`
}

// Validate reports every problem at once by environment name.
func (c Config) Validate() error {
	var problems []error
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		problems = append(problems, errors.New("HOLDFAST_LISTEN: must be host:port or :port, such as :8080"))
	}
	if c.MaxBody < 1 {
		problems = append(problems, fmt.Errorf("HOLDFAST_MAX_BODY: must be at least 1 byte, not %d", c.MaxBody))
	}
	if c.MaxBodiesInFlight < c.MaxBody {
		problems = append(problems, fmt.Errorf(
			"HOLDFAST_MAX_BODIES_IN_FLIGHT: must be at least HOLDFAST_MAX_BODY (%d), not %d, or the largest body would never fit",
			c.MaxBody, c.MaxBodiesInFlight))
	}
	return errors.Join(problems...)
}
