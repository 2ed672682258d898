package providertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// another is a secret that nothing was made with.
const another = "another-secret-4Yw9pT2"

func (b *bench) previous(t *testing.T) {
	if b.recording.Previous == "" {
		require.NotContains(t, b.recording.Settings, "PREVIOUS_"+b.recording.Secret, "the recording names no previous setting")
		return // not a secret that rotates, such as a community's name
	}
	rotated := map[string]string{
		b.recording.Secret:   another,
		b.recording.Previous: b.recording.Settings[b.recording.Secret],
	}
	if strings.Contains(b.recording.Settings[b.recording.Secret], ":") {
		rotated[b.recording.Secret] = b.otherList()
	}
	require.True(t, b.accepted(t, b.provider(t, rotated), b.recording.request()))
}

func (b *bench) anotherSecret(t *testing.T) {
	require.NotEmpty(t, b.recording.Secret, "the recording does not say which setting its proof is made with")
	changed := map[string]string{b.recording.Secret: another}
	if strings.Contains(b.recording.Settings[b.recording.Secret], ":") {
		changed[b.recording.Secret] = b.otherList()
	}
	require.False(t, b.accepted(t, b.provider(t, changed), b.recording.request()))
}

// otherList is a list of type:secret with other secrets.
func (b *bench) otherList() string {
	var entries []string
	for _, entry := range strings.Split(b.recording.Settings[b.recording.Secret], ",") {
		kind, _, _ := strings.Cut(entry, ":")
		entries = append(entries, kind+":"+another)
	}
	return strings.Join(entries, ",")
}

func (b *bench) proofs(t *testing.T) {
	require.NotEmpty(t, b.recording.Proofs, "the recording does not say what proves it")
	p := b.provider(t, nil)
	stripped := b.recording.request()
	for _, proof := range b.recording.Proofs {
		at := placeOf(t, proof)
		stripped = at.set(t, stripped)
		value := at.get(t, b.recording.request())

		for name, values := range attacks(value) {
			require.False(t, b.accepted(t, p, at.set(t, b.recording.request(), values...)), "%s %s is accepted", proof, name)
		}
		if at.kind != "body" {
			require.False(t, b.accepted(t, p, at.set(t, b.recording.request(), value, value)), "%s given twice is accepted", proof)
			require.False(t, b.accepted(t, p, at.set(t, b.recording.request(), value, another)), "%s given beside another is accepted", proof)
		}
		require.Equal(t, b.recording.AnyProof, b.accepted(t, p, at.set(t, b.recording.request())), "%s removed", proof)
	}
	require.False(t, b.accepted(t, p, stripped), "it is accepted without any proof")

	other := b.recording.request()
	other.Method = map[bool]string{true: "PUT", false: "GET"}[b.want.Handshake != nil]
	require.False(t, b.accepted(t, p, other), "it is accepted with another method")
}

// attacks are the values that somebody could give in place of a proof.
func attacks(value string) map[string][]string {
	of := map[string][]string{
		"emptied":                {""},
		"a space":                {" "},
		"doubled":                {value + value},
		"doubled with a comma":   {value + ", " + value},
		"shortened":              {value[:len(value)-1]},
		"shortened at the front": {value[1:]},
		"halved":                 {value[:len(value)/2]},
		"lengthened":             {value + "0"},
		"with a NUL":             {value + "\x00"},
		"another":                {another},
		"another bearer":         {"Bearer " + another},
		"an empty bearer":        {"Bearer "},
	}
	for i := range value {
		flipped := []byte(value)
		flipped[i] ^= 1
		of[fmt.Sprintf("with a bit of byte %d flipped", i)] = []string{string(flipped)}
	}
	return of
}
