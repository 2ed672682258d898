package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// door is a real ingress over a real inbox, with all providers as sources and a
// sandbox, on throw-away secrets, and the folder where `holdfast dev` keeps them.
type door struct {
	url     string
	dataDir string
	secrets map[string]string
	inbox   *sqlite.Store
}

// openDoor sets the process's environment, which the providers read; so its
// tests cannot be parallel.
func openDoor(t *testing.T) *door {
	t.Helper()
	d := &door{dataDir: t.TempDir(), secrets: map[string]string{}}
	var entries []string
	add := func(source, provider string) {
		entries = append(entries, source+"="+provider)
		// SocialBoards writes its community into subjects, so that is no secret.
		for name, value := range samples.ThrowAway(provider, func() string { return "hunter2-" + source + "-0123456789abcdef" }) {
			d.secrets[ingress.SourceEnv(source)+"_"+name] = value
		}
	}
	for _, dialect := range providers.Dialects() {
		add(dialect.Name, dialect.Name)
	}
	add("sandbox", "redeam")
	for name, value := range d.secrets {
		t.Setenv(name, value)
	}
	sources, _, err := ingress.LoadSources(providers.Dialects(), entries)
	require.NoError(t, err)

	d.inbox, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.inbox.Close()) })
	server := httptest.NewServer(ingress.New(ingress.Options{
		Config: ingress.Config{MaxBody: 1 << 20, MaxBodiesInFlight: 1 << 24}, Sources: sources, Inbox: d.inbox, Bell: &bell{},
		Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	}).Handler())
	t.Cleanup(server.Close)
	d.url = server.URL
	kept := map[string]string{"HOLDFAST_LISTEN": strings.TrimPrefix(server.URL, "http://")}
	for name, value := range d.secrets {
		kept[name] = value
	}
	require.NoError(t, writeDevEnv(d.dataDir, kept))
	return d
}

// send runs the command as a user of `holdfast dev` would, with no settings.
func (d *door) send(t *testing.T, args ...string) result {
	t.Helper()
	return command(t, noEnvironment, "", append([]string{"send", "--data-dir", d.dataDir}, args...)...)
}

func (d *door) events(t *testing.T, f inbox.EventFilter) []inbox.Event {
	t.Helper()
	events, err := d.inbox.Events(t.Context(), f)
	require.NoError(t, err)
	return events
}

func TestSendEverySampleOfEveryProviderIsAccepted(t *testing.T) {
	d := openDoor(t)
	line := regexp.MustCompile(`^200  accepted   sequence \d+ +event \S+  subject (\S+)\n$`)
	for _, dialect := range providers.Dialects() {
		for _, kind := range samples.Types(dialect.Name) {
			r := d.send(t, dialect.Name, "--type", kind)
			if strings.HasSuffix(kind, ":Query") {
				require.ErrorContains(t, r.err, "A query is refused, and not stored.")
				continue
			}
			require.NoError(t, r.err, "%s %s", dialect.Name, kind)
			if kind == samples.Handshake {
				require.Regexp(t, `^200  \S+`, r.stdout)
				continue
			}
			found := line.FindStringSubmatch(r.stdout)
			require.Len(t, found, 2, r.stdout)
			require.Contains(t, r.stderr, "holdfast events list --subject "+quoted(found[1]))
		}
	}
	require.Empty(t, d.events(t, inbox.EventFilter{Status: inbox.StatusQuarantined}))
}

func TestSendCountMakesDistinctEventsOfOneSubject(t *testing.T) {
	d := openDoor(t)
	for round := 1; round <= 2; round++ { // a later run makes new events, not duplicates
		r := d.send(t, "redo", "--count", "5", "--subject", "r1")
		require.NoError(t, r.err)
		require.Equal(t, 5, strings.Count(r.stdout, "200  accepted "), r.stdout)
		require.NotContains(t, r.stdout, "duplicate")
		require.Equal(t, "\nSee what became of it: holdfast events list --subject redo/r1\n", r.stderr)
		events := d.events(t, inbox.EventFilter{Subject: "redo/r1"})
		require.Len(t, events, 5*round)
		for i := 1; i < len(events); i++ {
			require.True(t, events[i].At.After(events[i-1].At), "in the order of their time")
		}
	}
}

func TestSendToASourceOfAnotherName(t *testing.T) {
	d := openDoor(t)
	r := d.send(t, "redeam", "--source", "sandbox", "--type", "booking.updated", "--subject", "b7")
	require.NoError(t, r.err)
	require.Len(t, d.events(t, inbox.EventFilter{Source: "sandbox", Subject: "sandbox/b7"}), 1)
}

func TestSendSecretComesFromTheFlagThenTheEnvironmentThenDev(t *testing.T) {
	d := openDoor(t)
	good := d.secrets["HOLDFAST_SOURCE_REDO_SECRET"]
	wrong := func(name string) (string, bool) { return "hunter3-wrong", name == "HOLDFAST_SOURCE_REDO_SECRET" }

	r := command(t, wrong, "", "send", "redo", "--data-dir", d.dataDir)
	require.ErrorContains(t, r.err, "answered 401 Unauthorized")
	require.ErrorContains(t, r.err, "Is it signed with what the source redo has as HOLDFAST_SOURCE_REDO_SECRET")
	require.NotContains(t, r.err.Error(), "hunter")
	require.NoError(t, command(t, wrong, "", "send", "redo", "--data-dir", d.dataDir, "--secret", good).err)
	require.ErrorContains(t, d.send(t, "redo", "--secret", "hunter3-wrong").err, "401")

	file := filepath.Join(t.TempDir(), "secret")
	inFile := func(name string) (string, bool) { return file, name == "HOLDFAST_SOURCE_REDO_SECRET_FILE" }
	require.ErrorContains(t, command(t, inFile, "", "send", "redo", "--data-dir", d.dataDir).err,
		"HOLDFAST_SOURCE_REDO_SECRET_FILE: the file "+file+" cannot be read")
	require.NoError(t, os.WriteFile(file, []byte(good+"\n"), 0o600))
	require.NoError(t, command(t, inFile, "", "send", "redo", "--url", d.url+"/webhooks/redo").err)

	r = command(t, noEnvironment, "", "send", "redo", "--url", d.url+"/webhooks/redo")
	require.ErrorContains(t, r.err, "no secret to sign with for source redo: set HOLDFAST_SOURCE_REDO_SECRET, use --secret, or start `holdfast dev`")
}

func TestSendFile(t *testing.T) {
	d := openDoor(t)
	const body = `{"type":"created","at":"2026-03-14T12:00:00Z","return":{"id":"r9","updatedAt":"2026-03-14T12:00:00Z"}}`
	file := filepath.Join(t.TempDir(), "recorded.json")
	require.NoError(t, os.WriteFile(file, []byte(body), 0o600))
	r := d.send(t, "redo", "--file", file, "--count", "2")
	require.NoError(t, r.err)
	require.Regexp(t, `^200  accepted   sequence 1 .*subject redo/r9\n200  duplicate  sequence 1 .*subject redo/r9\n$`, r.stdout)
	payload, err := d.inbox.Payload(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, body, string(payload.Body), "byte for byte")

	r = command(t, noEnvironment, body, "send", "redo", "--file", "-", "--data-dir", d.dataDir)
	require.NoError(t, r.err)
	require.ErrorContains(t, d.send(t, "redo", "--file", file+"x").err, "no such file")
	r = command(t, noEnvironment, "", "send", "redo", "--file", "-", "--data-dir", d.dataDir)
	require.ErrorContains(t, r.err, "is empty")
}

func TestSendExplainsRefusals(t *testing.T) {
	d := openDoor(t)
	require.ErrorContains(t, d.send(t, "redo", "--source", "other", "--secret", "x").err, "Is other in HOLDFAST_SOURCES")
	require.ErrorContains(t, d.send(t, "redo", "--type", "return.eaten").err, "there are return.updated")
	require.ErrorContains(t, d.send(t, "redoo").err, `there is no provider "redoo": redox, redeam, redo, socialboards; for example: holdfast send redo`)
	require.ErrorContains(t, d.send(t, "redo", "--count", "0").err, "--count must be at least 1")
	require.ErrorContains(t, d.send(t, "redo", "--url", "localhost:8080").err, "--url must look like http://127.0.0.1:8080 or http://127.0.0.1:8080/webhooks/redo")
	for _, args := range [][]string{nil, {"redo", "redox"}} {
		require.ErrorContains(t, d.send(t, args...).err, "name one provider: redox, redeam, redo, socialboards; for example: holdfast send redo")
	}

	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "later\x1b[2J", http.StatusServiceUnavailable)
	}))
	t.Cleanup(busy.Close)
	r := d.send(t, "redo", "--count", "3", "--url", busy.URL)
	require.EqualError(t, r.err, busy.URL+"/webhooks/redo answered 503 Service Unavailable: later?[2J\nThe process's log says why; a real sender would try again later.")

	busy.Close()
	r = d.send(t, "redo", "--url", busy.URL)
	require.ErrorContains(t, r.err, "nothing listens at "+busy.URL+"/webhooks/redo: is `holdfast dev` running?")
}

// A sender follows no redirect, and its bearer token stays where it was sent.
func TestSendFollowsNoRedirect(t *testing.T) {
	d := openDoor(t)
	redirecting := httptest.NewServer(http.RedirectHandler(d.url+"/webhooks/redo", http.StatusTemporaryRedirect))
	t.Cleanup(redirecting.Close)
	require.ErrorContains(t, d.send(t, "redo", "--url", redirecting.URL).err, "answered 307 Temporary Redirect")
	require.Empty(t, d.events(t, inbox.EventFilter{From: time.Unix(0, 0)}))
}
