package inbox

import (
	"context"
	"time"
)

// Keeper is the side of an Inbox that keeps it in order.
type Keeper interface {
	// Lead tells whether this process does the fleet's sweeping now.
	Lead(ctx context.Context) (bool, error)

	// Unrung returns subjects that have pending events, may be tried at now, and
	// have been neither rung nor claimed since before; the longest waiting first.
	// It notes that they were rung at now. What was rung or claimed under a clock more
	// than ten minutes ahead of now counts as neither. It also ends the holds of
	// subjects without pending events whose time has come.
	Unrung(ctx context.Context, now, before time.Time, limit int) ([]string, error)

	// Prune deletes events settled before a time, with their keys, payloads and empty
	// subjects, and returns how many: at most limit, and fewer if their bodies are
	// large, but 0 only when none is left. It holds no long lock. As many audit
	// entries from before that time go too, but not those of held subjects.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)

	// Count returns how many subjects are in each state but idle, and how many
	// events are pending: cheap enough to be asked every few seconds.
	Count(ctx context.Context) (Counts, error)
}

// Counts are totals over the whole inbox.
type Counts struct {
	Pending  int // events
	Subjects map[State]int
}
