package ingress_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

// admitted sends one event through the door and returns what the inbox got.
func admitted(t *testing.T, common providers.Common, event providers.Event) inbox.NewEvent {
	t.Helper()
	h := newHouse(t, speaking(func(providers.Request) ([]providers.Event, error) { return []providers.Event{event}, nil }),
		func(o *ingress.Options) { o.Sources[0].Common = common })
	w := h.send(t, "POST", "/webhooks/plain", "body", "Proof", proof)
	require.Equal(t, http.StatusOK, w.Code)
	return h.store.stored()[0].Events[0]
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestSubjectIDs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	exact := strings.Repeat("x", 255-len("plain/"))
	const printable = "!\"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_ `az{|}~"
	for name, tt := range map[string]struct{ id, subject, label string }{
		"OrdinaryIDIsKept":            {"r-1/a b", "plain/r-1/a b", "plain/r-1/a b"},
		"EveryASCIISignIsKept":        {printable, "plain/" + printable, "plain/" + printable},
		"AccentIsHashed":              {"Café", "plain/sha256:" + sha("Café"), "plain/Café"},
		"LineSeparatorIsHashed":       {"a\u2028b", "plain/sha256:" + sha("a\u2028b"), "plain/a\u2028b"},
		"BidiOverrideIsHashed":        {"a\u202eb", "plain/sha256:" + sha("a\u202eb"), "plain/a\u202eb"},
		"TrailingSpaceIsHashed":       {"a ", "plain/sha256:" + sha("a "), "plain/a "},
		"LeadingSpaceIsHashed":        {" a", "plain/sha256:" + sha(" a"), "plain/ a"},
		"DeleteIsHashed":              {"a\x7f", "plain/sha256:" + sha("a\x7f"), "plain/a\uFFFD"},
		"LongestIDIsKept":             {exact, "plain/" + exact, "plain/" + exact},
		"TooLongIDIsHashed":           {exact + "x", "plain/sha256:" + sha(exact+"x"), "plain/" + exact + "x"},
		"MuchTooLongNameIsCut":        {strings.Repeat(long, 10), "plain/sha256:" + sha(strings.Repeat(long, 10)), ("plain/" + strings.Repeat(long, 10))[:1024]},
		"ControlCharacterIsHashed":    {"a\x00b", "plain/sha256:" + sha("a\x00b"), "plain/a\uFFFDb"},
		"InvalidUTF8IsHashed":         {"a\xffb", "plain/sha256:" + sha("a\xffb"), "plain/a\uFFFDb"},
		"WhatLooksLikeAHashIsHashed":  {"sha256:" + sha("x"), "plain/sha256:" + sha("sha256:"+sha("x")), "plain/sha256:" + sha("x")},
		"WhatLooksLikeAnHMACIsHashed": {"hmac:00", "plain/sha256:" + sha("hmac:00"), "plain/hmac:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := admitted(t, providers.Common{}, providers.Event{Type: "t", Subject: tt.id, Related: []string{tt.id, ""}})
			require.Equal(t, tt.subject, e.Subject)
			require.Equal(t, tt.label, e.SubjectName)
			require.Equal(t, []string{tt.subject}, e.Related)
			require.Empty(t, e.Quarantine)
			require.LessOrEqual(t, len(e.Subject), 255)
		})
	}
}

func TestSubjectHashKeyHidesEveryID(t *testing.T) {
	t.Parallel()
	common := providers.Common{SubjectHashKey: "pepper", Staging: true}
	e := admitted(t, common, providers.Event{Type: "t", Subject: "MR:123", Related: []string{"MR:124"}})
	mac := hmac.New(sha256.New, []byte("pepper"))
	mac.Write([]byte("MR:123"))
	require.Equal(t, "plain/hmac:"+hex.EncodeToString(mac.Sum(nil))[:32], e.Subject)
	require.Equal(t, "plain/MR:123", e.SubjectName, "the inbox keeps the full one")
	require.Len(t, e.Related, 1)
	require.Regexp(t, `^plain/hmac:[0-9a-f]{32}$`, e.Related[0])
	require.NotEqual(t, e.Subject, e.Related[0])
	require.True(t, e.Staging)
}

func TestDifferentIDsHaveDifferentSubjects(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.String().Draw(rt, "seed")
		ids := []string{seed, "sha256:" + sha(seed), "sha256:" + sha("sha256:"+sha(seed)), seed + "\x00", strings.Repeat("y", 300) + seed}
		if seed == "" {
			ids = ids[1:]
		}
		key := rapid.SampledFrom([]providers.Secret{"", "k"}).Draw(rt, "key")
		var events []providers.Event
		for _, id := range ids {
			events = append(events, providers.Event{Type: "t", Subject: id, Key: id})
		}
		h := newHouse(t, speaking(func(providers.Request) ([]providers.Event, error) { return events, nil }),
			func(o *ingress.Options) { o.Sources[0].Common.SubjectHashKey = key })
		require.Equal(rt, http.StatusOK, h.send(t, "POST", "/webhooks/plain", "body", "Proof", proof).Code)
		subjects, keys := map[string]bool{}, map[string]bool{}
		for _, e := range h.store.stored()[0].Events {
			subjects[e.Subject], keys[e.Key] = true, true
			require.True(rt, utf8.ValidString(e.Subject+e.SubjectName+e.Key))
			require.Regexp(rt, `^[ -~]{1,254}[!-~]$`, e.Subject, "what Temporal's client sends as a header")
			require.LessOrEqual(rt, len(e.Key), 200)
		}
		require.Len(rt, subjects, len(ids))
		require.Len(rt, keys, len(ids))
	})
}

func TestWhatCannotBeRoutedIsQuarantined(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]providers.Event{
		"LongType":     {Type: strings.Repeat("t", 201), Subject: "1"},
		"TypeWithFeed": {Type: "a\nb", Subject: "1"},
		"BrokenType":   {Type: "a\xff", Subject: "1"},
		"NoSubject":    {Type: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := admitted(t, providers.Common{}, event)
			require.NotEmpty(t, e.Quarantine)
			require.LessOrEqual(t, len(e.Type), 200)
			require.True(t, utf8.ValidString(e.Type))
		})
	}
	longest := admitted(t, providers.Common{}, providers.Event{Type: strings.Repeat("t", 200), Subject: "1"})
	require.Empty(t, longest.Quarantine)
}

func TestEventIsPassedOnWhole(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 10, 0, 0, 0, time.FixedZone("", 3600))
	e := admitted(t, providers.Common{}, providers.Event{
		Type: "return.updated", Subject: "r1", Key: "k", KeyLife: time.Hour, Digest: "d", At: at,
	})
	require.Equal(t, "plain", e.Source)
	require.Equal(t, "simple", e.Provider)
	require.Equal(t, "return.updated", e.Type)
	require.Equal(t, "k", e.Key)
	require.Equal(t, time.Hour, e.KeyLife)
	require.Equal(t, "d", e.Digest)
	require.Equal(t, at.UTC(), e.At)
	require.WithinDuration(t, time.Now(), e.ReceivedAt, time.Minute)
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-7`, e.EventID)

	absurd := admitted(t, providers.Common{}, providers.Event{Type: "t", Subject: "1", At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.True(t, absurd.At.IsZero())
}

func TestRedeliveryOfWhatIsNotUnderstoodHasTheSameKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t, speaking(func(providers.Request) ([]providers.Event, error) { return nil, providers.ErrNotUnderstood }))
	for _, body := range []string{"one", "one", "two"} {
		require.Equal(t, http.StatusOK, h.send(t, "POST", "/webhooks/plain", body, "Proof", proof, "Content-Type", "bad\x80").Code)
	}
	stored := h.store.stored()
	require.Len(t, stored, 3)
	require.Equal(t, stored[0].Events[0].Key, stored[1].Events[0].Key)
	require.NotEqual(t, stored[0].Events[0].Key, stored[2].Events[0].Key)
	require.Equal(t, "body:"+sha("one"), stored[0].Events[0].Key)
	require.Contains(t, stored[0].Events[0].Quarantine, "not understood")
	require.Equal(t, "application/octet-stream", stored[0].ContentType, "a type that is none is not passed on")
	require.Empty(t, h.bell.all())
}
