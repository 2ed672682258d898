package ingress_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/kelseyhightower/envconfig"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

// dialects are two providers whose only setting is SECRET.
func dialects() []providers.Dialect {
	build := func(prefix string) (providers.Source, error) {
		if os.Getenv(prefix+"_SECRET") == "" {
			return providers.Source{}, errors.New(prefix + "_SECRET: must be set")
		}
		return providers.Source{
			Provider: sender{},
			Common:   providers.Common{SubjectHashKey: providers.Secret(os.Getenv(prefix + "_SUBJECT_HASH_KEY"))},
		}, nil
	}
	return []providers.Dialect{{Name: "redo", New: build}, {Name: "redox", New: build, PersonalSubjects: true}}
}

// These tests set environment variables, and so are not parallel.

func TestLoadSources(t *testing.T) {
	t.Setenv("HOLDFAST_SOURCE_REDO_SECRET", "a")
	t.Setenv("HOLDFAST_SOURCE_SANDBOX2_SECRET", "b")
	t.Setenv("HOLDFAST_SOURCE_REDOX_SECRET", "c")
	sources, warnings, err := ingress.LoadSources(dialects(), []string{" redo", "sandbox2 = redo ", "redox"})
	require.NoError(t, err)
	require.Len(t, sources, 3)
	require.Equal(t, "sandbox2", sources[1].Name)
	require.Equal(t, "redo", sources[1].Dialect)
	require.NotNil(t, sources[1].Provider)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "HOLDFAST_SOURCE_REDOX_SUBJECT_HASH_KEY")

	t.Setenv("HOLDFAST_SOURCE_REDOX_SUBJECT_HASH_KEY", "k")
	_, warnings, err = ingress.LoadSources(dialects(), []string{"redo", "sandbox2=redo", "redox"})
	require.NoError(t, err)
	require.Empty(t, warnings)
}

func TestLoadSourcesReportsEveryProblemAtOnce(t *testing.T) {
	t.Setenv("HOLDFAST_SOURCE_REDO_SECRET", "value-4711")
	t.Setenv("HOLDFAST_SOURCE_REDI_SECRET", "value-4711")
	t.Setenv("HOLDFAST_SOURCE_redo_SECRET", "value-4711")
	t.Setenv("HOLDFAST_SOURCE_REDO", "value-4711")
	_, _, err := ingress.LoadSources(dialects(), []string{"redo", "redo", "", "Upper=redo", "a_b=redo", "x=nobody", "redox", "y="})
	require.Error(t, err)
	for _, part := range []string{
		`two sources are named "redo"`,
		`the entry "" has no name`,
		`the name "Upper" must be lower-case letters and digits`,
		`the name "a_b" must be`,
		`source "x" has the unknown provider "nobody"; the providers are redo, redox`,
		`source "y" has the unknown provider ""`,
		"HOLDFAST_SOURCE_REDOX_SECRET: must be set",
		"HOLDFAST_SOURCE_REDI_SECRET: HOLDFAST_SOURCES names no source",
		"HOLDFAST_SOURCE_redo_SECRET: HOLDFAST_SOURCES names no source",
		"HOLDFAST_SOURCE_REDO: HOLDFAST_SOURCES names no source",
	} {
		require.ErrorContains(t, err, part)
	}
	require.NotContains(t, err.Error(), "value-4711")
	require.Equal(t, 9, strings.Count(err.Error(), "\n"), "each problem once: %v", err)

	_, _, err = ingress.LoadSources(dialects(), nil)
	require.ErrorContains(t, err, "HOLDFAST_SOURCES: must name at least one source; the providers are redo, redox")
}

func TestConfig(t *testing.T) {
	var config ingress.Config
	require.NoError(t, envconfig.Process("HOLDFAST", &config))
	require.NoError(t, config.Validate(), "the defaults are valid")
	require.Equal(t, ingress.Config{Listen: ":8080", MaxBody: 40 << 20, MaxBodiesInFlight: 256 << 20}, config)

	t.Setenv("HOLDFAST_LISTEN", "8080")
	t.Setenv("HOLDFAST_SOURCES", "redo,sandbox=redeam")
	t.Setenv("HOLDFAST_MAX_BODY", "0")
	t.Setenv("HOLDFAST_MAX_BODIES_IN_FLIGHT", "-1")
	t.Setenv("HOLDFAST_DRAIN_DELAY", "6m")
	require.NoError(t, envconfig.Process("HOLDFAST", &config))
	require.Equal(t, []string{"redo", "sandbox=redeam"}, config.Sources)
	err := config.Validate()
	for _, name := range []string{"HOLDFAST_LISTEN", "HOLDFAST_MAX_BODY:", "HOLDFAST_MAX_BODIES_IN_FLIGHT", "HOLDFAST_DRAIN_DELAY"} {
		require.ErrorContains(t, err, name)
	}
}
