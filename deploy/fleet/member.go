package fleet

import "context"

// Member is a process of a fleet, or PostgreSQL with all of its processes. What was
// killed or stopped stays down until Start; what ends by itself is started again.
// The methods are safe for concurrent use.
type Member interface {
	Name() string
	// Start starts it, if it does not run, and returns when it is ready for work.
	Start(ctx context.Context) error
	// Stop ends it in good order.
	Stop(ctx context.Context) error
	// Kill ends it with no chance to do anything more, and returns when it is gone.
	Kill() error
	// Freeze stops it where it stands, until Thaw.
	Freeze() error
	Thaw() error
	// Exits tells how often it ended by itself.
	Exits() int
}
