package row_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/internal/row"
)

func TestWhatCanBeStoredIsStoredAsItIs(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "redo/r1", "наряд 7", "a\tb\nc\x02\x7f", "�"} {
		require.Equal(t, s, row.Text(s))
		require.Equal(t, s, row.Plain(s))
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "\x01", "\x0100", "\x01\x00", "\xff\xfe", "caf\xe9", "\xed\xa0\x80", "\x01f", "a\x01"} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		text := row.Text(a)
		require.True(t, utf8.ValidString(text))
		require.False(t, strings.ContainsRune(text, 0))
		require.Equal(t, a, row.Plain(text))
		require.Equal(t, a == b, text == row.Text(b), "different strings have different texts")
		related, err := row.EncodeRelated([]string{a, b})
		require.NoError(t, err)
		back, err := row.DecodeRelated(related)
		require.NoError(t, err)
		require.Equal(t, []string{a, b}, back)
	})
}
