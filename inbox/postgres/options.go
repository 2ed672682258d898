package postgres

import (
	"log/slog"
	"time"
)

// Options tune a Store. Zero fields mean the defaults.
type Options struct {
	// Migrate lets Open bring the schema up to date. Without it Open refuses a
	// schema that is too old.
	Migrate bool
	// Connections is how many the store may have open at a time; 10, at least 4.
	Connections int
	// Log hears when PostgreSQL goes away and when it is back; nil: nobody does.
	Log *slog.Logger

	QueueLength int // appends that may wait; 4,096
	QueueBytes  int // bodies that may wait; 256 MiB, and always one delivery
	BatchLength int // events, or operations of drains, that share one commit; 128, and always one delivery
	BatchBytes  int // bodies that share one commit; 4 MiB, and always one delivery

	CompressAbove int // bytes from which a body is compressed; 1 KiB
	// Lease is how long this process keeps the lead without asking for it again; 60 s.
	Lease time.Duration
}

const minConnections = 4

func (o Options) withDefaults() Options {
	for value, standard := range map[*int]int{
		&o.Connections: 10, &o.QueueLength: 4096, &o.QueueBytes: 256 << 20,
		&o.BatchLength: 128, &o.BatchBytes: 4 << 20, &o.CompressAbove: 1 << 10,
	} {
		if *value <= 0 {
			*value = standard
		}
	}
	o.Connections = max(o.Connections, minConnections)
	if o.Lease <= 0 {
		o.Lease = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Each kind of work has its share of the connections, so that none keeps the others
// out: however many read or list, and however slowly, who writes goes on.
func (o Options) appenders() int { return max(1, o.Connections*3/10) }
func (o Options) drainers() int  { return max(1, o.Connections*2/10) }
func (o Options) loners() int    { return max(1, o.Connections*2/10) }
func (o Options) readers() int   { return max(1, o.Connections-o.appenders()-o.drainers()) }

// operators are those of the readers that may take long: lists, verbs and replays.
func (o Options) operators() int { return max(1, o.readers()/2) }
