package samples_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

var at = time.Date(2026, 3, 14, 9, 26, 53, 589793238, time.UTC)

// bundle is a source with throw-away settings, and options that know them.
type bundle struct {
	name     string
	settings map[string]string
	provider providers.Provider
	options  samples.Options
}

// setup configures a source through the environment, so its tests are not parallel.
func setup(t *testing.T, name string, more map[string]string) *bundle {
	t.Helper()
	d, ok := providers.Named(name)
	require.True(t, ok)
	n := 0
	settings := samples.ThrowAway(name, func() string { n++; return "throw-away-" + strconv.Itoa(n) })
	for setting, value := range more {
		settings[setting] = value
	}
	prefix := "HOLDFAST_SOURCE_" + strings.ToUpper(name)
	for setting, value := range settings {
		t.Setenv(prefix+"_"+setting, value)
	}
	source, err := d.New(prefix)
	require.NoError(t, err)
	b := &bundle{name: name, settings: settings, provider: source.Provider}
	b.options = samples.Options{At: at}
	return b
}

func (b *bundle) make(t *testing.T, change func(*samples.Options)) (samples.Sample, providers.Request) {
	t.Helper()
	o := b.options
	change(&o)
	o = samples.Fill(b.name, o, func(setting string) string { return b.settings[setting] })
	s, err := samples.Make(b.name, o)
	require.NoError(t, err)
	return s, providers.Request{
		Method: s.Method, Suffix: s.Suffix, Query: s.Query, Header: s.Header, Body: s.Body, ReceivedAt: at,
	}
}

func (b *bundle) event(t *testing.T, change func(*samples.Options)) (samples.Sample, providers.Event) {
	t.Helper()
	s, r := b.make(t, change)
	require.NoError(t, b.provider.Verify(r))
	events, err := b.provider.Parse(r)
	require.NoError(t, err)
	require.Len(t, events, 1)
	return s, events[0]
}

// eventTypes are the types that make events: no endpoint test, no query.
func eventTypes(t *testing.T, name string) []string {
	t.Helper()
	kinds := slices.DeleteFunc(slices.Clone(samples.Types(name)), func(kind string) bool {
		return kind == samples.Handshake || kind == "PatientSearch:Query"
	})
	require.NotEmpty(t, kinds, "%s has no samples", name)
	return kinds
}

func TestEveryTypeIsAcceptedAndReadAsAsked(t *testing.T) {
	for _, d := range providers.Dialects() {
		for _, kind := range eventTypes(t, d.Name) {
			t.Run(d.Name+" "+kind, func(t *testing.T) {
				b := setup(t, d.Name, nil)
				s, e := b.event(t, func(o *samples.Options) { o.Type = kind })
				require.Equal(t, kind, e.Type)
				require.Equal(t, kind, s.Type)
				require.Equal(t, s.Subject, e.Subject)
				require.Equal(t, kind == "PatientAdmin:PatientMerge", e.Related != nil)
			})
		}
	}
}

func TestHandshakesAndQueriesAreWhatTheyAre(t *testing.T) {
	for _, name := range []string{"redox", "socialboards"} {
		b := setup(t, name, nil)
		s, r := b.make(t, func(o *samples.Options) { o.Type = samples.Handshake })
		require.Empty(t, s.Type)
		answer, ok := b.provider.(providers.Handshaker).Handshake(r)
		require.True(t, ok)
		require.Equal(t, 200, answer.Status)
	}
	b := setup(t, "redox", nil)
	_, r := b.make(t, func(o *samples.Options) { o.Type = "PatientSearch:Query" })
	require.NoError(t, b.provider.Verify(r))
	_, err := b.provider.Parse(r)
	require.ErrorIs(t, err, providers.ErrQuery)
}

func TestTheSubjectIsTheOneAskedFor(t *testing.T) {
	tests := []struct{ name, kind, subject, want string }{
		{"redo", "", "r1", "r1"},
		{"redox", "", "p1", "MR:p1"},
		{"redox", "", "EHRID:p1", "EHRID:p1"},
		{"redox", "fhir:PatientAdminCreated", "urn:x|p1", "urn:x|p1"},
		{"redox", "fhir:PatientAdminCreated", "p1", "urn:northlake:mrn|p1"},
		{"redeam", "", "p1", "b4f6d0c8-1e2a-4c55-9f0d-77a1c3e5d901/p1"},
		{"redeam", "rate.updated", "s1/p1", "s1/p1"},
		{"redeam", "supplier.updated", "s1", "s1"},
		{"redeam", "booking.updated", "b1", "b1"},
		{"socialboards", "", "42", "throw-away-2/42"},
		{"socialboards", "conversation_created", "throw-away-2/abc", "throw-away-2/abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.subject, func(t *testing.T) {
			b := setup(t, tt.name, nil)
			s, e := b.event(t, func(o *samples.Options) { o.Type, o.Subject = tt.kind, tt.subject })
			require.Equal(t, tt.want, e.Subject)
			require.Equal(t, tt.want, s.Subject)
		})
	}
}

// A series is what `send --count` makes: distinct events of one subject, whose
// times do not go backwards, and no event twice if it is sent again later.
func TestASeriesHasDistinctKeysAndIncreasingTimes(t *testing.T) {
	for _, d := range providers.Dialects() {
		for _, kind := range eventTypes(t, d.Name) {
			t.Run(d.Name+" "+kind, func(t *testing.T) {
				b := setup(t, d.Name, nil)
				keys := map[string]bool{}
				subjects := map[string]bool{}
				var last time.Time
				for n := range 50 {
					_, e := b.event(t, func(o *samples.Options) { o.Type, o.N = kind, n })
					require.False(t, keys[e.Key], "the key of event %d was there before", n)
					keys[e.Key], subjects[e.Subject] = true, true
					if !e.At.IsZero() {
						require.True(t, e.At.After(last), "event %d is not later", n)
						last = e.At
					}
				}
				require.Len(t, subjects, 1)
				for n := range 50 {
					_, e := b.event(t, func(o *samples.Options) { o.Type, o.N, o.At = kind, n, at.Add(3*time.Second) })
					require.False(t, keys[e.Key], "a later series repeats a key")
				}
			})
		}
	}
}

func TestTheSameOptionsMakeTheSameDelivery(t *testing.T) {
	for _, d := range providers.Dialects() {
		for _, kind := range samples.Types(d.Name) {
			b := setup(t, d.Name, nil)
			first, _ := b.make(t, func(o *samples.Options) { o.Type, o.N = kind, 7 })
			again, _ := b.make(t, func(o *samples.Options) { o.Type, o.N = kind, 7 })
			require.Equal(t, first, again)
		}
	}
}

func TestABodyOfOnesOwnIsSentAndSigned(t *testing.T) {
	b := setup(t, "redeam", map[string]string{"SIGNATURE": "md5", "SIGNATURE_TEMPLATE": "{token}{timestamp}{key}", "SECURITY_KEYS": "rate: k3y:Rate"})
	body := []byte(`{"supplierID":9007199254740993,"productID":"p","signature":{"sum":"old","timestamp":1,"token":"t0ken"}}`)
	s, e := b.event(t, func(o *samples.Options) { o.Type, o.Body = "rate", body })
	require.Equal(t, "rate", s.Suffix)
	require.Empty(t, s.Subject)
	require.Equal(t, "rate.updated", e.Type)
	require.Equal(t, "9007199254740993/p", e.Subject)
	require.Equal(t, "t0ken", e.Key)

	_, e = b.event(t, func(o *samples.Options) { o.Body = []byte(`{"supplierID":"s"}`) })
	require.NotEmpty(t, e.Key)

	for name, body := range map[string]string{
		"redo":         `{"type":"created","at":"2026-02-13T20:41:37Z","return":{"id":"own"}}`,
		"redox":        `{"Meta":{"DataModel":"Notes","EventType":"New"},"Visit":{"VisitNumber":"own"}}`,
		"socialboards": `{"CommunityName":"throw-away-2","EventType":"x","Events":null,"TicketId":"own"}`,
	} {
		b := setup(t, name, nil)
		s, e := b.event(t, func(o *samples.Options) { o.Body = []byte(body) })
		require.Equal(t, body, string(s.Body))
		require.Contains(t, e.Subject, "own")
	}
}

func TestWhatCannotBeMadeIsSaid(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name string
		o    samples.Options
		says string
	}{
		"UnknownProvider":      {"stripe", samples.Options{}, "redox, redeam, redo, socialboards"},
		"UnknownType":          {"redo", samples.Options{Secret: "s", Type: "return.deleted"}, "return.updated, return.created, return.backfill"},
		"NoSecret":             {"redo", samples.Options{}, "SECRET"},
		"NoToken":              {"redox", samples.Options{}, "TOKEN"},
		"NoKey":                {"redeam", samples.Options{}, "SECURITY_KEY"},
		"NoCommunity":          {"socialboards", samples.Options{}, "COMMUNITY"},
		"NoVerifyToken":        {"socialboards", samples.Options{Type: samples.Handshake}, "VERIFY_TOKEN"},
		"NegativeN":            {"redo", samples.Options{Secret: "s", N: -1}, "negative"},
		"SeriesTooLong":        {"redeam", samples.Options{Secret: "s", N: 1 << 20}, "at most"},
		"UnknownSignature":     {"redeam", samples.Options{Secret: "s", Signature: "sha1"}, "hmac-sha256 or md5"},
		"BodyIsNoObject":       {"redeam", samples.Options{Secret: "s", Body: []byte("[]")}, "not a JSON object"},
		"SubjectWithoutID":     {"redox", samples.Options{Secret: "s", Subject: "MR:"}, "TYPE:ID"},
		"FHIRSubjectWithoutID": {"redox", samples.Options{Secret: "s", Type: "fhir:PatientAdminCreated", Subject: "urn:x|"}, "SYSTEM|VALUE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := samples.Make(tt.name, tt.o)
			require.ErrorIs(t, err, samples.ErrOptions)
			require.ErrorContains(t, err, tt.says)
		})
	}
}

func TestZeroTimeIsNow(t *testing.T) {
	t.Parallel()
	before := time.Now().Add(-time.Second)
	s, err := samples.Make("redo", samples.Options{Secret: "s"})
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(s.Body), `"at":"`)
	stated, _, _ := strings.Cut(rest, `"`)
	made, err := time.Parse(time.RFC3339, stated)
	require.NoError(t, err)
	require.True(t, made.After(before))
}

func TestEveryDialectSaysWhereItsSecretIs(t *testing.T) {
	t.Parallel()
	want := map[string]string{"redox": "TOKEN", "redeam": "SECURITY_KEY", "redo": "SECRET", "socialboards": "COMMUNITY"}
	for _, d := range providers.Dialects() {
		require.Equal(t, want[d.Name], samples.SecretSetting(d.Name))
		require.Contains(t, samples.ThrowAway(d.Name, func() string { return "x" }), samples.SecretSetting(d.Name))
	}
	require.Empty(t, samples.SecretSetting("stripe"))
	require.Nil(t, samples.Types("stripe"))
	require.Nil(t, samples.ThrowAway("stripe", nil))
	require.Equal(t, samples.Options{N: 1}, samples.Fill("stripe", samples.Options{N: 1}, nil))
}
