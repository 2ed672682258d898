package ingress

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/providers"
)

// SourcePrefix begins the environment names of every source's own settings:
// HOLDFAST_SOURCE_REDO_SECRET is the setting SECRET of the source redo.
const SourcePrefix = "HOLDFAST_SOURCE_"

// Source is a provider under the name by which HOLDFAST_SOURCES configures it.
type Source struct {
	Name    string
	Dialect string // the provider's name
	providers.Source
}

// SourceEnv returns the environment prefix of a source's settings, as a
// providers.Dialect wants it.
func SourceEnv(name string) string { return SourcePrefix + strings.ToUpper(name) }

// LoadSources builds the sources that entries name, each as "name" or
// "name=provider", from the environment. Its error names every problem at once,
// also a variable under SourcePrefix that belongs to no source; it never holds a
// value. The warnings are for an operator to read once, at the start.
func LoadSources(dialects []providers.Dialect, entries []string) (sources []Source, warnings []string, err error) {
	var problems []error
	if len(entries) == 0 {
		problems = append(problems, fmt.Errorf(
			"HOLDFAST_SOURCES: must name at least one source; the providers are %s", dialectNames(dialects)))
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		name, dialect, err := parseEntry(dialects, entry)
		if name != "" && seen[name] {
			problems = append(problems, fmt.Errorf("HOLDFAST_SOURCES: two sources are named %q", name))
			continue
		}
		seen[name] = true
		if err != nil {
			problems = append(problems, err)
			continue
		}
		source, err := dialect.New(SourceEnv(name))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if dialect.PersonalSubjects && source.Common.SubjectHashKey == "" {
			warnings = append(warnings, fmt.Sprintf(
				"%s_SUBJECT_HASH_KEY is not set: the subject IDs of source %s are personal data, and will be readable in Temporal and in logs",
				SourceEnv(name), name))
		}
		sources = append(sources, Source{Name: name, Dialect: dialect.Name, Source: source})
	}
	problems = append(problems, strays(seen)...)
	if len(problems) > 0 {
		return nil, nil, errors.Join(problems...)
	}
	return sources, warnings, nil
}

// parseEntry returns the name even with an error, as far as it is one.
func parseEntry(dialects []providers.Dialect, entry string) (string, providers.Dialect, error) {
	name, provider, found := strings.Cut(strings.TrimSpace(entry), "=")
	name, provider = strings.TrimSpace(name), strings.TrimSpace(provider)
	if !found {
		provider = name
	}
	if name == "" {
		return "", providers.Dialect{}, fmt.Errorf("HOLDFAST_SOURCES: the entry %q has no name; write for example redo,sandbox=redeam", entry)
	}
	if strings.ContainsFunc(name, notNameRune) {
		return "", providers.Dialect{}, fmt.Errorf("HOLDFAST_SOURCES: the name %q must be lower-case letters and digits", name)
	}
	for _, d := range dialects {
		if d.Name == provider {
			return name, d, nil
		}
	}
	return name, providers.Dialect{}, fmt.Errorf(
		"HOLDFAST_SOURCES: source %q has the unknown provider %q; the providers are %s", name, provider, dialectNames(dialects))
}

func notNameRune(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }

func dialectNames(dialects []providers.Dialect) string {
	var names []string
	for _, d := range dialects {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

// strays reports the variables that look like a source's setting but belong to
// none. Names have no underscore, so the source ends at the first one.
func strays(names map[string]bool) []error {
	var problems []error
	for _, variable := range os.Environ() {
		variable, _, _ = strings.Cut(variable, "=")
		rest, found := strings.CutPrefix(variable, SourcePrefix)
		if !found {
			continue
		}
		upper, _, setting := strings.Cut(rest, "_")
		if name := strings.ToLower(upper); !setting || !names[name] || upper != strings.ToUpper(name) {
			problems = append(problems, fmt.Errorf("%s: HOLDFAST_SOURCES names no source that it belongs to", variable))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}
