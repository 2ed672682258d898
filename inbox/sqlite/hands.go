package sqlite

import (
	"time"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// letGoSQL goes by the index: who is in hand is to be swept when that must be over.
const letGoSQL = `UPDATE subjects INDEXED BY subjects_to_sweep
	SET sweep_at = busy_since, busy_run = '', busy_since = NULL, busy_until = NULL
	WHERE waits = 1 AND sweep_at > ? AND sweep_at = busy_until`

// letGo ends every hand that the process before this one had at a subject. That
// process is dead, for the file's lock is ours, and its handlers with it: nobody needs
// to wait until their time would have been over.
func letGo(c *conn) error { return c.exec(letGoSQL, row.TimeOf(time.Now())) }
