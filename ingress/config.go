package ingress

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Config is the door's settings, under the prefix HOLDFAST. LoadSources checks
// Sources.
type Config struct {
	Listen  string   `default:":8080" desc:"address that webhooks are received on"`
	Sources []string `desc:"comma-separated sources: a provider's name, or name=provider; names are lower-case letters and digits"`
	// The largest body that any sender documents is 40 MB (Redox).
	MaxBody           int64 `split_words:"true" default:"41943040" desc:"largest accepted body, in bytes"`
	MaxBodiesInFlight int64 `split_words:"true" default:"268435456" desc:"most bytes that the bodies of all requests together may hold in memory"`
	// Zero suits a process that nothing balances to: it stops at once.
	DrainDelay time.Duration `split_words:"true" default:"0s" desc:"how long a stopping ingress goes on accepting after /readyz has turned red, for load balancers to notice; longer than they take to"`
}

// maxDrainDelay is more than any load balancer needs; supervisors kill sooner.
const maxDrainDelay = 5 * time.Minute

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
	if c.DrainDelay < 0 || c.DrainDelay > maxDrainDelay {
		problems = append(problems, fmt.Errorf("HOLDFAST_DRAIN_DELAY: must be between 0s and %v, not %v", maxDrainDelay, c.DrainDelay))
	}
	return errors.Join(problems...)
}
