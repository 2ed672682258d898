package providers

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
)

// Secret is a string that prints as a placeholder wherever it is formatted,
// logged or encoded. Reveal is the only way to its value.
type Secret string

const concealed = "[secret]"

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String returns a placeholder.
func (s Secret) String() string { return concealed }

// GoString returns a placeholder.
func (s Secret) GoString() string { return concealed }

// MarshalText returns a placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(concealed), nil }

// LogValue returns a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(concealed) }

// Equals compares in time that depends on neither the secret nor where the
// given value differs from it. An empty secret equals nothing.
func (s Secret) Equals(given string) bool {
	want, got := sha256.Sum256([]byte(s)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && s != ""
}
