package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func TestReadmeTableIsUpToDate(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	list, err := tables()
	require.NoError(t, err)
	want, err := spliceTables(readme, list)
	require.NoError(t, err)
	require.Equal(t, string(want), string(readme), "run make docs")
}

// The names, which are environment names: a golden list would be the README.
func TestEverySettingIsDocumentedUnderOneName(t *testing.T) {
	t.Parallel()
	list, err := tables()
	require.NoError(t, err)
	name := regexp.MustCompile(`^(HOLDFAST|TEMPORAL)(_[A-Z]+|_<NAME>)+$`)
	for _, table := range list {
		seen := map[string]bool{}
		for _, s := range table.settings {
			require.Regexp(t, name, s.Name)
			require.NotEmpty(t, s.Description, "%s needs a desc tag", s.Name)
			require.False(t, seen[s.Name], s.Name)
			seen[s.Name] = true
		}
		require.NotEmpty(t, table.settings, table.title)
	}
}

// An environment name of one process must not mean two things.
func TestNoNameIsBoundTwice(t *testing.T) {
	t.Parallel()
	names, err := settingNames()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, name := range names {
		require.False(t, seen[name], name)
		seen[name] = true
	}
}

// The edges of envconfig that cost others a night: see each message.
func TestConfigurationStructsAvoidEnvconfigsEdges(t *testing.T) {
	t.Parallel()
	for _, s := range sections() {
		settings, err := settingsOf(s.prefix, s.spec)
		require.NoError(t, err)
		for _, one := range settings {
			require.Empty(t, one.tag.Get("envconfig"), "%s: an envconfig tag also accepts the name without its prefix", one.Name)
			require.False(t, strings.HasSuffix(one.Name, "_PORT"), "%s: Kubernetes injects such names", one.Name)
			require.NotEqual(t, reflect.Map, one.value.Kind(), "%s: envconfig splits maps on every colon", one.Name)
			secret := reflect.TypeFor[providers.Secret]()
			if one.value.Kind() == reflect.Slice {
				require.NotEqual(t, secret, one.value.Type().Elem(), "%s: envconfig splits a secret with a comma", one.Name)
			}
			if one.value.Type() == secret {
				require.Empty(t, one.Default, "%s: a secret has no default", one.Name)
			}
		}
	}
}

func TestIssueNamesExist(t *testing.T) {
	t.Parallel()
	names, err := settingNames()
	require.NoError(t, err)
	require.Subset(t, names, []string{
		"HOLDFAST_LISTEN", "HOLDFAST_OPERATOR_LISTEN", "HOLDFAST_OPERATOR_TOKEN", "HOLDFAST_SOURCES", "HOLDFAST_INBOX",
		"HOLDFAST_ROUTES", "HOLDFAST_DESTINATION_SECRET", "HOLDFAST_DESTINATION_CONCURRENCY", "HOLDFAST_FIRST_ATTEMPT_TIMEOUT",
		"HOLDFAST_DELIVERY_TIMEOUT", "HOLDFAST_MAX_BODY", "HOLDFAST_MAX_BODIES_IN_FLIGHT", "HOLDFAST_RETRY_INITIAL",
		"HOLDFAST_RETRY_MAX_INTERVAL", "HOLDFAST_RETRY_BUDGET", "HOLDFAST_PAUSE_INITIAL", "HOLDFAST_PAUSE_MAX",
		"HOLDFAST_PARK_STATUSES", "HOLDFAST_SWEEP_INTERVAL", "HOLDFAST_LINGER", "HOLDFAST_RETENTION", "HOLDFAST_TASK_QUEUE",
	})
}

func TestSettingsCommandListsEverythingOnce(t *testing.T) {
	t.Parallel()
	r := command(t, noEnvironment, "", "settings")
	require.NoError(t, r.err)
	for _, line := range []string{
		`(?m)^  HOLDFAST_LISTEN +:8080 +address that webhooks are received on$`,
		`(?m)^  HOLDFAST_SOURCE_<NAME>_SECRET +required +`,
		`(?m)^  TEMPORAL_ADDRESS +localhost:7233 +`,
	} {
		require.Regexp(t, line, r.stdout)
	}
	require.Equal(t, 1, strings.Count(r.stdout, "_SUBJECT_HASH_KEY"), "what all sources have is listed once")
}

func TestSettingsMarkdownGoesBetweenTheMarkers(t *testing.T) {
	t.Parallel()
	printed := command(t, noEnvironment, "", "settings", "--markdown")
	require.NoError(t, printed.err)
	file := filepath.Join(t.TempDir(), "doc.md")
	require.NoError(t, os.WriteFile(file, []byte("above\n"+tableBegin+"\nold\n"+tableEnd+"\nbelow\n"), 0o640))

	for range 2 { // a second time changes nothing
		require.NoError(t, command(t, noEnvironment, "", "settings", "--into", file).err)
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "above\n"+tableBegin+"\n\n"+printed.stdout+"\n"+tableEnd+"\nbelow\n", string(got))
	}
}

func TestSettingsIntoNeedsMarkers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "doc.md")
	require.NoError(t, os.WriteFile(file, []byte("nothing here\n"), 0o600))
	require.ErrorContains(t, command(t, noEnvironment, "", "settings", "--into", file).err, "no place for the table")
	require.ErrorContains(t, command(t, noEnvironment, "", "settings", "--into", file+"x").err, "no such file")
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "nothing here\n", string(got))
}
