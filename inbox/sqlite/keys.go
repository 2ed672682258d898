package sqlite

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/ncruces/go-sqlite3"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

// keyHash is the number by which a key is found. Two keys may have the same one, but
// nobody can make many that do.
func keyHash(source, key string) int64 {
	var space [128]byte
	text := append(append(append(space[:0], source...), 0), key...)
	sum := sha256.Sum256(text)
	return int64(binary.LittleEndian.Uint64(sum[:])) //nolint:gosec // any 64 bits
}

// defineKeyHash lets a migration use keyHash.
func defineKeyHash(c *sqlite3.Conn) error {
	return c.CreateFunction("key_hash", 2, sqlite3.DETERMINISTIC, func(ctx sqlite3.Context, args ...sqlite3.Value) {
		ctx.ResultInt64(keyHash(args[0].Text(), args[1].Text()))
	})
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
	return keyed{hash: number{keyHash(e.Source, e.Key), true}, expires: row.Expires(e), digest: e.Digest}
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

// known looks an event's key up.
func (t *tx) known(e *inbox.NewEvent, k keyed) (found earlier, err error) {
	if !k.hash.valid {
		return found, nil
	}
	err = t.all(knownSQL, []any{k.hash.n, e.Source, e.Key}, func(c columns) error {
		use := row.Copy{Sequence: c.int64(), Digest: c.one(e.Digest), Expires: c.time(), Pending: c.status() == inbox.StatusPending}
		if use.Expires.Over(row.TimeOf(e.ReceivedAt)) && !use.Pending {
			found.over = append(found.over, use.Sequence)
		}
		found.Consider(e, use)
		return nil
	})
	return found, err
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
