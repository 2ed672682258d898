package postgres_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/postgres"
)

func TestBodiesComeBackByteForByte(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	noise := make([]byte, 100_000)
	_, err := rand.Read(noise)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		body     []byte
		encoding int
	}{
		"Nothing":        {nil, 0},
		"Small":          {[]byte(`{"a":1}`), 0},
		"JustBelow":      {bytes.Repeat([]byte("x"), 1023), 0},
		"Compressible":   {bytes.Repeat([]byte(`{"name":"value"},`), 1000), 1},
		"Incompressible": {noise, 0},
		"Zstd already":   {append([]byte{0x28, 0xb5, 0x2f, 0xfd}, noise...), 0},
		"Binary":         {bytes.Repeat([]byte{0, 255, '\n', 0xc3}, 1000), 1},
		"Large":          {bytes.Repeat([]byte("forty million bytes, and not in pages of equal content. "), 40_000_000/56), 1},
	} {
		receipt, err := appendOne(t.Context(), store, "redo/"+name, name, c.body)
		require.NoError(t, err, name)
		payload, err := store.Payload(t.Context(), receipt.Sequence)
		require.NoError(t, err)
		require.True(t, bytes.Equal(c.body, payload.Body), name)
		entries, err := store.Next(t.Context(), "redo/"+name, 1, 1)
		require.NoError(t, err)
		require.True(t, bytes.Equal(c.body, entries[0].Payload.Body), name)
		var encoding, size, stored int
		require.NoError(t, session(t, url).QueryRow(t.Context(), "SELECT encoding, size, length(body) FROM payloads WHERE id = $1", receipt.Sequence).
			Scan(&encoding, &size, &stored))
		require.Equal(t, []int{c.encoding, len(c.body)}, []int{encoding, size}, name)
		require.LessOrEqual(t, stored, len(c.body), name)
	}
}

// A row that lies about its body costs no memory, and is no body.
func TestABodyIsNeverMoreThanItsRowSays(t *testing.T) {
	t.Parallel()
	store, url := newStore(t, postgres.Options{})
	for change, says := range map[string]string{
		"size = size - 1":             "unpack",
		"size = size + 1":             "unpack",
		"body = substr(body, 1, 20)":  "unpack",
		"encoding = 7":                "use the newer one",
		"body = '\\x00010203'::bytea": "unpack",
	} {
		receipt, err := appendOne(t.Context(), store, "redo/a", change, make([]byte, 10_000_000))
		require.NoError(t, err)
		_, err = session(t, url).Exec(t.Context(), "UPDATE payloads SET "+change+" WHERE id = $1", pgx.QueryExecModeExec, receipt.Sequence)
		require.NoError(t, err)
		_, err = store.Payload(t.Context(), receipt.Sequence)
		require.ErrorContains(t, err, says, change)
	}
}

func TestNextStopsAtItsBytes(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t, postgres.Options{})
	for i := range 5 {
		_, err := appendOne(t.Context(), store, "redo/a", keyOf(i), make([]byte, 100_000))
		require.NoError(t, err)
	}
	for _, c := range []struct{ bytes, want int }{{0, 1}, {99_999, 1}, {100_000, 2}, {250_000, 3}, {1 << 20, 5}} {
		entries, err := store.Next(t.Context(), "redo/a", 10, c.bytes)
		require.NoError(t, err)
		require.Len(t, entries, c.want, "%d bytes, as they came and not as they are stored", c.bytes)
	}
}
