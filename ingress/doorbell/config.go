package doorbell

import (
	"errors"
	"fmt"
	"time"
)

// Config is the sweeper's settings, under the prefix HOLDFAST.
type Config struct {
	SweepInterval time.Duration `split_words:"true" default:"30s" desc:"how often subjects that wait without having been rung are looked for"`
	Retention     time.Duration `default:"720h" desc:"how long a settled event is kept, and so how long its repetition is known"`
}

const (
	minSweepInterval = 100 * time.Millisecond // below it, sweeping is a load of its own
	maxSweepInterval = time.Hour              // above it, a lost ring looks like a lost event
	minRetention     = time.Minute            // senders repeat a delivery for longer than that
)

// Validate reports every problem at once by environment name.
func (c Config) Validate() error {
	var problems []error
	if c.SweepInterval < minSweepInterval || c.SweepInterval > maxSweepInterval {
		problems = append(problems, fmt.Errorf("HOLDFAST_SWEEP_INTERVAL: must be between %v and %v, not %v", minSweepInterval, maxSweepInterval, c.SweepInterval))
	}
	if c.Retention < minRetention {
		problems = append(problems, fmt.Errorf("HOLDFAST_RETENTION: must be at least %v, not %v: a repetition that comes later would be handled again", minRetention, c.Retention))
	}
	return errors.Join(problems...)
}
