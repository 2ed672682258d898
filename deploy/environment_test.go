package deploy_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// environment is what a process is told, by name.
type environment map[string]string

// fileSuffix makes of a setting's name the one that holds the path of its value.
const fileSuffix = "_FILE"

// perPlace are the settings that each place gives itself, and why they are not in
// deploy/settings. Every other one must be there.
var perPlace = map[string]string{
	"HOLDFAST_INBOX":              "where PostgreSQL is, with a password",
	"HOLDFAST_LISTEN":             "containers have addresses of their own, plain processes share one",
	"HOLDFAST_OPERATOR_LISTEN":    "the same",
	"HOLDFAST_OPERATOR_TOKEN":     "a secret",
	"HOLDFAST_ROUTES":             "only its owner knows where events go",
	"HOLDFAST_DESTINATION_SECRET": "a secret",
	"HOLDFAST_BUILD_ID":           "which build runs is the place's business",
	"TEMPORAL_ADDRESS":            "where Temporal is",
	"GOMEMLIMIT":                  "follows from the place's own memory limit",
}

// plain returns a name without the suffix of its file.
func plain(name string) string { return strings.TrimSuffix(name, fileSuffix) }

func isPerPlace(name string) bool {
	_, listed := perPlace[plain(name)]
	return listed || strings.HasPrefix(name, "HOLDFAST_SOURCE_")
}

// shared returns the settings that no place decides for itself.
func (e environment) shared() environment {
	rest := maps.Clone(e)
	maps.DeleteFunc(rest, func(name, _ string) bool { return isPerPlace(name) })
	return rest
}

// own returns the names of the settings that a place decides, sorted. Whether a value
// comes in a file makes no difference.
func (e environment) own() []string {
	var names []string
	for name := range e {
		if isPerPlace(name) {
			names = append(names, plain(name))
		}
	}
	slices.Sort(names)
	return names
}

// settingsFiles returns what these files of deploy/settings say together.
func settingsFiles(t *testing.T, names ...string) environment {
	t.Helper()
	all := environment{}
	for _, name := range names {
		for _, line := range strings.Split(read(t, "deploy/settings/"+name), "\n") {
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			key, value, found := strings.Cut(line, "=")
			require.True(t, found, "%s: %q is neither a comment nor KEY=value", name, line)
			require.NotContains(t, all, key, "%s says %s a second time", name, key)
			require.NotEmpty(t, value, "%s: leave %s out instead of setting it empty", name, key)
			require.Equal(t, strings.Trim(value, ` "'`), value, "%s: Compose and shells read quotes and spaces differently", name)
			all[key] = value
		}
	}
	return all
}

// settingLine is a line of `holdfast settings`.
var settingLine = regexp.MustCompile(`^  ([A-Z][A-Z0-9_]*(?:<NAME>)?[A-Z0-9_]*)\s+(\S+)`)

// section is a group of settings as `holdfast settings` prints it.
type section struct {
	title    string
	settings map[string]string // default, or "required", or "-"
}

// sections returns all settings that the program says it knows.
func sections(t *testing.T) []section {
	t.Helper()
	var all []section
	for _, line := range strings.Split(run(t, program(t), "settings"), "\n") {
		if match := settingLine.FindStringSubmatch(line); match != nil {
			require.NotEmpty(t, all, "%q stands before any title", line)
			all[len(all)-1].settings[match[1]] = match[2]
		} else if line != "" && !strings.HasPrefix(line, " ") {
			all = append(all, section{title: line, settings: map[string]string{}})
		}
	}
	return all
}

// knownFor returns the settings of a role with these sources, and its required ones.
func knownFor(t *testing.T, role, sources string) (known, required []string) {
	t.Helper()
	for _, s := range sections(t) {
		title, readers, _ := strings.Cut(strings.TrimSuffix(s.title, ")"), " (")
		if !slices.Contains(strings.Split(readers, ", "), role) {
			continue
		}
		for name, standard := range s.settings {
			names := []string{name}
			if strings.HasPrefix(name, "HOLDFAST_SOURCE_<NAME>") {
				names = expand(name, title, sources)
			}
			known = append(known, names...)
			if standard == "required" {
				required = append(required, names...)
			}
		}
	}
	require.NotEmpty(t, known, "`holdfast settings` lists nothing for %s", role)
	return known, required
}

// expand puts the sources that a section is about into a setting's name.
func expand(name, title, sources string) []string {
	var names []string
	for _, one := range strings.Split(sources, ",") {
		source, provider, found := strings.Cut(one, "=")
		if !found {
			provider = source
		}
		if title == "Each source" || title == "Each "+provider+" source" {
			names = append(names, strings.Replace(name, "<NAME>", strings.ToUpper(source), 1))
		}
	}
	return names
}
