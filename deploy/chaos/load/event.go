package load

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
)

// Body is what an event looks like: a return of Redo's with what the destination
// needs to know which event it is.
type Body struct {
	Type    string `json:"type"`
	At      string `json:"at"`
	Return  Return `json:"return"`
	Counter int    `json:"counter"`
	Padding string `json:"padding,omitempty"`
}

// Return has the subject's id.
type Return struct {
	ID        string `json:"id"`
	UpdatedAt string `json:"updatedAt"`
}

// Digest is how both ends tell whether a body is the same.
func Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

const (
	// A few bodies are large, so that they take the ways of large bodies.
	largeShare   = 20
	largePadding = 24 << 10
	smallPadding = 512
)

type event struct {
	verdict.ID
	body   []byte
	digest string
}

// newEvent makes a body that nothing compresses. Its time, which is part of what
// tells a duplicate, is the subject's own.
func newEvent(id verdict.ID, began time.Time, r *rand.Rand) event {
	size := smallPadding
	if r.IntN(largeShare) == 0 {
		size = largePadding
	}
	var padding []byte
	for len(padding) < size/2 {
		padding = binary.LittleEndian.AppendUint64(padding, r.Uint64())
	}
	moment := began.Add(time.Duration(id.Counter) * time.Millisecond).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	body, err := json.Marshal(Body{
		Type: "updated", At: moment, Return: Return{ID: id.Subject, UpdatedAt: moment}, Counter: id.Counter, Padding: hex.EncodeToString(padding),
	})
	if err != nil {
		panic(fmt.Sprintf("encode a body: %v", err)) // made of strings and numbers
	}
	return event{ID: id, body: body, digest: Digest(body)}
}
