package providertest

import (
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

// Run runs every case recorded in testdata/<dialect> of the calling package. The
// calling test must not be parallel: sources are configured as in production,
// through the process's environment.
func Run(t *testing.T, dialect string) {
	t.Helper()
	d, ok := providers.Named(dialect)
	require.True(t, ok, "%s has no line in providers.Dialects", dialect)
	dir := filepath.Join("testdata", dialect)
	for _, name := range cases(t, dir) {
		t.Run(name, func(t *testing.T) {
			r, w := read(t, dir, name)
			b := &bench{dialect: d, recording: r, want: w}
			t.Run("GenuineIsAccepted", b.genuine)
			t.Run("SameDeliveryTwiceIsTheSame", b.twice)
			t.Run("PreviousSecretIsAccepted", b.previous)
			t.Run("AnotherSecretIsRefused", b.anotherSecret)
			t.Run("EachProofIsNeeded", b.proofs)
			if w.SameEventAs != "" {
				t.Run("RedeliveryIsTheSameEvent", func(t *testing.T) { b.sameAs(t, dir) })
			}
		})
	}
}

// bench is one case on one configured source.
type bench struct {
	dialect   providers.Dialect
	recording recording
	want      want
}

// provider configures a source with the recorded settings and some others.
func (b *bench) provider(t *testing.T, changed map[string]string) providers.Provider {
	t.Helper()
	prefix := "HOLDFAST_SOURCE_" + strings.ToUpper(b.dialect.Name)
	settings := maps.Clone(b.recording.Settings)
	maps.Copy(settings, changed)
	for name, value := range settings {
		t.Setenv(prefix+"_"+name, value)
	}
	source, err := b.dialect.New(prefix)
	require.NoError(t, err)
	return source.Provider
}

// accepted tells what a provider makes of a request, the way the ingress asks
// it, and checks what must be true of any refusal.
func (b *bench) accepted(t *testing.T, p providers.Provider, r providers.Request) bool {
	t.Helper()
	if h, ok := p.(providers.Handshaker); ok {
		if answer, ok := h.Handshake(r); ok {
			b.keepsSecrets(t, string(answer.Body))
			if answer.Status < http.StatusMultipleChoices {
				return true
			}
			require.GreaterOrEqual(t, answer.Status, http.StatusBadRequest)
			if b.want.Handshake != nil {
				require.NotContains(t, string(answer.Body), b.want.Handshake.Body, "a refused test echoes the challenge")
			}
			return false
		}
	}
	err := p.Verify(r)
	if err == nil {
		return true
	}
	require.ErrorIs(t, err, providers.ErrNotGenuine)
	b.keepsSecrets(t, err.Error())
	return false
}

// keepsSecrets fails if a text that is logged or sent shows a secret, a header's
// value or a proof.
func (b *bench) keepsSecrets(t *testing.T, text string) {
	t.Helper()
	for name, value := range b.recording.Settings {
		if strings.Contains(name, "SECRET") || strings.Contains(name, "TOKEN") || strings.Contains(name, "KEY") {
			for _, part := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ':' }) {
				require.NotContains(t, text, part, "the value of %s is shown", name)
			}
		}
	}
	for name, value := range b.recording.Headers {
		require.NotContains(t, text, value, "the header %s is shown", name)
	}
	for _, proof := range b.recording.Proofs {
		require.NotContains(t, text, placeOf(t, proof).get(t, b.recording.request()), "the proof %s is shown", proof)
	}
}

func (b *bench) genuine(t *testing.T) {
	p, r := b.provider(t, nil), b.recording.request()
	if b.want.Handshake != nil {
		h, ok := p.(providers.Handshaker)
		require.True(t, ok, "the dialect answers no handshakes")
		given, ok := h.Handshake(r)
		require.True(t, ok, "it is not taken for a handshake")
		actual := answer{given.Status, given.ContentType, string(given.Body)}
		require.Equal(t, *b.want.Handshake, actual)
		return
	}
	if h, ok := p.(providers.Handshaker); ok {
		_, ok := h.Handshake(r)
		require.False(t, ok, "a live request is taken for a handshake")
	}
	if s, ok := p.(providers.Suffixed); ok {
		require.True(t, s.AcceptsSuffix(r.Suffix))
	} else {
		require.Empty(t, r.Suffix, "the dialect reads no suffix")
	}
	require.NoError(t, p.Verify(r))

	events, err := p.Parse(r)
	switch b.want.Error {
	case "":
		require.NoError(t, err)
		require.NotEmpty(t, b.want.Events, "want.json says nothing")
		require.Equal(t, b.want.Events, recorded(events))
	case "query":
		require.ErrorIs(t, err, providers.ErrQuery)
	case "not understood":
		require.ErrorIs(t, err, providers.ErrNotUnderstood)
	default:
		require.FailNow(t, "want.json has an unknown error", b.want.Error)
	}
	if err != nil {
		require.Empty(t, events)
		b.keepsSecrets(t, err.Error())
	}
}

func (b *bench) twice(t *testing.T) {
	p := b.provider(t, nil)
	before, errBefore := p.Parse(b.recording.request())
	again, errAgain := p.Parse(b.recording.request())
	require.Equal(t, before, again)
	require.Equal(t, errBefore, errAgain)

	keys := map[string]bool{}
	for _, e := range before {
		require.NotEmpty(t, e.Key)
		require.False(t, keys[e.Key], "two events of one request share a key")
		keys[e.Key] = true
	}
}

func (b *bench) sameAs(t *testing.T, dir string) {
	t.Helper()
	r, _ := read(t, dir, b.want.SameEventAs)
	p := b.provider(t, nil)
	original, err := p.Parse(r.request())
	require.NoError(t, err)
	redelivered, err := p.Parse(b.recording.request())
	require.NoError(t, err)
	require.Len(t, redelivered, len(original))
	for i, e := range redelivered {
		require.Equal(t, original[i].Key, e.Key)
		require.Equal(t, original[i].Subject, e.Subject)
		require.Equal(t, original[i].Digest, e.Digest)
	}
}
