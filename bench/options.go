package bench

import (
	"time"

	"github.com/holdfast-project/holdfast/providers/samples"
)

// Options say what is measured, and how.
type Options struct {
	// Provider is a dialect's name, and Signing what its webhooks are signed with.
	Provider string
	Signing  samples.Options
	// URLs are those of the source; they take turns.
	URLs []string
	// Listen is the address of the destination.
	Listen string
	// FirstPatience is how long the events that go before the load may take to come
	// back, and GiveUp how long nothing may be delivered, or one event be refused, in it.
	FirstPatience time.Duration
	GiveUp        time.Duration

	Workload
}

// Workload is what is sent.
type Workload struct {
	Name string
	// Events is how many are sent; or, if it is 0, Duration how long.
	Events   int
	Duration time.Duration
	// Subjects is how many take turns; 0: each event has one of its own.
	Subjects int
	// Connections is how many requests are made at a time, at most.
	Connections int
	// Rate is how many events begin per second; 0: as fast as they are accepted.
	Rate float64
	// Size is that of a body in bytes, about; no dialect's is smaller than some 200.
	Size int
	// Duplicates is the share of events that are sent a second time, from 0 to 1.
	Duplicates float64
	// Delay is how long the destination works on each event.
	Delay time.Duration
}

// defaultSize is what webhooks often have.
const defaultSize = 1024

// Workloads are those that have a name.
func Workloads() []Workload {
	return []Workload{
		{Name: "accept", Events: 20_000, Subjects: 2_000, Connections: 64, Size: defaultSize},
		{Name: "hot", Events: 5_000, Subjects: 1, Connections: 1, Size: defaultSize},
		{Name: "warm", Events: 10_000, Subjects: 200, Connections: 64, Size: defaultSize},
		{Name: "cold", Events: 2_000, Subjects: 0, Connections: 64, Size: defaultSize},
		{Name: "calm", Duration: 30 * time.Second, Subjects: 200, Connections: 16, Rate: 20, Size: defaultSize},
	}
}
