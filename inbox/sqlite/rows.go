package sqlite

import "github.com/holdfast-project/holdfast/inbox/internal/row"

// rowCache keeps the subject rows that were used last. Only the writer changes rows,
// so what it has read or written is what the database has: an event's append, claim
// and settlement read its subject's row once.
//
// When the young are many they become the old, and the old are forgotten.
type rowCache struct{ young, old map[string]*keptRow }

// youngRows bounds the memory: the cache has at most twice as many rows, of less than
// a kilobyte each.
const youngRows = 2048

type keptRow struct {
	row    row.Row
	stored row.Row // as the database has it; Number 0: it has none yet
	used   int64   // the number of the last transaction that asked for it
}

func newRowCache() rowCache { return rowCache{young: map[string]*keptRow{}} }

func (c *rowCache) get(id string) *keptRow {
	if kept := c.young[id]; kept != nil {
		return kept
	}
	kept := c.old[id]
	if kept != nil {
		c.put(kept)
	}
	return kept
}

func (c *rowCache) put(kept *keptRow) { c.young[kept.row.ID] = kept }

// age is called between transactions: what one has changed must stay until it is written.
func (c *rowCache) age() {
	if len(c.young) > youngRows {
		c.young, c.old = make(map[string]*keptRow, youngRows), c.young
	}
}

func (c *rowCache) forget() { *c = newRowCache() }
