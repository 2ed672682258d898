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
func (s Secret) Equals(given string) bool { return s.fingerprint().equals(fingerprintOf(given)) }

// fingerprint is what secrets are compared by: a hash, which tells nothing of where
// two values differ, and whether there is a secret at all.
type fingerprint struct {
	sum [sha256.Size]byte
	set bool
}

func (s Secret) fingerprint() fingerprint { return fingerprint{fingerprintOf(string(s)).sum, s != ""} }

func fingerprintOf(value string) fingerprint {
	var room [128]byte // tokens are shorter, and then nothing is copied to the heap
	return fingerprint{sum: sha256.Sum256(append(room[:0], value...))}
}

// equals compares a secret with what was given.
func (f fingerprint) equals(given fingerprint) bool {
	return subtle.ConstantTimeCompare(f.sum[:], given.sum[:]) == 1 && f.set
}
