package sqlite

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// KeyHash is the number by which a key is found, which a tool that writes events past a
// store writes with them. Two keys may have the same one, but nobody can make many that do.
func KeyHash(source, key string) int64 {
	var space [128]byte
	text := append(append(append(space[:0], source...), 0), key...)
	sum := sha256.Sum256(text)
	return int64(binary.LittleEndian.Uint64(sum[:])) //nolint:gosec // any 64 bits
}

// keyed is an event's key as it is stored. Without one no other event can be a
// duplicate of it.
type keyed struct {
	hash    number
	expires row.Time
	digest  string
}

func keyOf(e *inbox.NewEvent) keyed {
	if e.Key == "" {
		return keyed{}
	}
	return keyed{hash: number{KeyHash(e.Source, e.Key), true}, expires: row.Expires(e), digest: e.Digest}
}

// earlier are the uses that an event's key has had.
type earlier struct {
	row.Known
	over []int64 // the sequences of those whose life has ended
}

// knownSQL has an index to itself, with a number for each event that can still have
// duplicates.
const knownSQL = `SELECT sequence, digest, key_expires_at, status FROM events INDEXED BY events_by_key
	WHERE key_hash = ? AND source = ? AND key = ? ORDER BY sequence`

// oldKnownSQL looks in the table in which keys were before. Those of events that have
// been pruned since are gone from it, too.
const oldKnownSQL = `SELECT k.sequence, k.digest, k.expires_at, e.status
	FROM keys k LEFT JOIN events e ON e.sequence = k.sequence WHERE k.source = ? AND k.key = ? ORDER BY k.variant`

// known looks an event's key up.
func (t *tx) known(e *inbox.NewEvent, k keyed) (found earlier, err error) {
	if !k.hash.valid {
		return found, nil
	}
	if t.w.oldKeys {
		err = t.all(oldKnownSQL, []any{e.Source, e.Key}, func(c columns) error {
			found.Consider(e, useOf(e, &c))
			return nil
		})
		if err != nil {
			return found, err
		}
	}
	err = t.all(knownSQL, []any{k.hash.n, e.Source, e.Key}, func(c columns) error {
		use := useOf(e, &c)
		if use.Expires.Over(row.TimeOf(e.ReceivedAt)) && !use.Pending {
			found.over = append(found.over, use.Sequence)
		}
		found.Consider(e, use)
		return nil
	})
	return found, err
}

// useOf reads an earlier use of an event's key.
func useOf(e *inbox.NewEvent, c *columns) row.Copy {
	return row.Copy{Sequence: c.int64(), Digest: c.one(e.Digest), Expires: c.time(), Pending: c.status() == inbox.StatusPending}
}

// forgetKeys lets nobody look at uses again whose life has ended: a key that comes
// back all the time would have ever more of them.
func (t *tx) forgetKeys(sequences []int64) error {
	for _, sequence := range sequences {
		if err := t.exec("UPDATE events SET key_hash = NULL WHERE sequence = ?", sequence); err != nil {
			return err
		}
	}
	return nil
}
