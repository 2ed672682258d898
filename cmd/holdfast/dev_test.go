package main

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

func TestFirstCommandsAreReadyToPaste(t *testing.T) {
	t.Parallel()
	redox, redo := ingress.Source{Name: "redox", Dialect: "redox"}, ingress.Source{Name: "redo", Dialect: "redo"}
	shop, hashed := redo, redo
	shop.Name, hashed.Common = "shop", providers.Common{SubjectHashKey: "k"}
	for _, c := range []struct {
		name       string
		sources    []ingress.Source
		dir        string
		send, list string
	}{
		{"Redo goes first", []ingress.Source{redox, redo}, defaultDataDir, "bin/holdfast send redo --count 5 --subject r1", "bin/holdfast events list --subject redo/r1"},
		{"a folder is named", []ingress.Source{redo}, "/tmp/my data", "bin/holdfast send redo --count 5 --subject r1 --data-dir '/tmp/my data'", "bin/holdfast events list --subject redo/r1 --data-dir '/tmp/my data'"},
		{"a source of another name", []ingress.Source{shop}, defaultDataDir, "bin/holdfast send redo --count 5 --subject r1 --source shop", "bin/holdfast events list --subject shop/r1"},
		{"an ID that nobody can guess", []ingress.Source{hashed}, defaultDataDir, "bin/holdfast send redo --count 5 --subject r1", "bin/holdfast events list"},
		{"no Redo", []ingress.Source{redox}, defaultDataDir, "bin/holdfast send redox --count 5 --subject r1", "bin/holdfast events list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, []string{c.send, c.list}, firstCommands(c.sources, "bin/holdfast", c.dir))
		})
	}
}

func TestDevIsFoundByItsFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	set := func(settings map[string]string) environment {
		return environment(func(string) (string, bool) { return "", false }).or(settings)
	}
	made, err := throwAway(dir)
	require.NoError(t, err)
	require.NoError(t, keepAddresses(dir, set(map[string]string{
		"HOLDFAST_LISTEN": ":28080", "HOLDFAST_OPERATOR_LISTEN": "127.0.0.1:28081", "HOLDFAST_OPERATOR_TOKEN": "not kept",
	})))
	kept, err := readDevEnv(dir)
	require.NoError(t, err)
	require.Len(t, kept, len(made)+2)
	require.Equal(t, ":28080", kept["HOLDFAST_LISTEN"])
	require.Equal(t, "127.0.0.1:28081", kept["HOLDFAST_OPERATOR_LISTEN"])

	again, err := throwAway(dir)
	require.NoError(t, err)
	require.Equal(t, made, again, "the secrets stay, and no address is printed among them")

	require.NoError(t, keepAddresses(dir, set(map[string]string{"HOLDFAST_LISTEN": "127.0.0.1:0"})))
	kept, err = readDevEnv(dir)
	require.NoError(t, err)
	require.Equal(t, made, kept, "an address that another start would not have is not kept")
}

// It sets the process's environment, so it cannot be parallel.
func TestDevListensOnThisMachineOnly(t *testing.T) {
	for _, name := range []string{"HOLDFAST_SOURCES", "HOLDFAST_INBOX", "HOLDFAST_ROUTES", "HOLDFAST_LISTEN"} {
		t.Setenv(name, "")
		require.NoError(t, os.Unsetenv(name))
	}
	for _, d := range providers.Dialects() { // what it makes up goes with the test
		for name := range samples.ThrowAway(d.Name, rand.Text) {
			t.Setenv(ingress.SourceEnv(d.Name)+"_"+name, "")
			require.NoError(t, os.Unsetenv(ingress.SourceEnv(d.Name)+"_"+name))
		}
	}
	dir := t.TempDir()
	made, err := devDefaults(dir)
	require.NoError(t, err)
	require.NotContains(t, made, "HOLDFAST_LISTEN", "it is no throw-away setting to print")
	require.Equal(t, "127.0.0.1:8080", os.Getenv("HOLDFAST_LISTEN"))
	require.NoError(t, keepAddresses(dir, os.LookupEnv))
	kept, err := readDevEnv(dir)
	require.NoError(t, err)
	require.NotContains(t, kept, "HOLDFAST_LISTEN", "send looks there anyway")

	var out bytes.Buffer
	s, err := loadProcess(roles{ingress: true, worker: true}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NotEmpty(t, s.warnings)
	s.warnings = append(s.warnings, "something else")
	s.calm(slog.New(slog.NewTextHandler(&out, nil)))
	require.Equal(t, []string{"something else"}, s.warnings)
	require.Regexp(t, `^time=\S+ level=INFO msg="fine for a trial; .* settings=\S*HOLDFAST_SOURCE_REDOX_SUBJECT_HASH_KEY\S*\n$`, out.String())

	t.Setenv("HOLDFAST_LISTEN", ":28080")
	_, err = devDefaults(dir)
	require.NoError(t, err)
	require.Equal(t, ":28080", os.Getenv("HOLDFAST_LISTEN"))
}

func TestAProgramNearbyHasAShortName(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	require.NoError(t, err)
	require.Equal(t, filepath.Join("bin", "holdfast"), nearby(filepath.Join(here, "bin", "holdfast")))
	outside := filepath.Join(filepath.Dir(here), "elsewhere")
	require.Equal(t, outside, nearby(outside))
	require.Equal(t, "holdfast", nearby("holdfast"))
}
