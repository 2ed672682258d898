package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCheckUnknownAcceptsEverySetting(t *testing.T) {
	t.Parallel()
	names, err := settingNames()
	require.NoError(t, err)
	environ := []string{"PATH=/bin", "HOLDFASTER=1", "TEMPORAL_ADDRESS=x", "HOLDFAST_SOURCE_REDO_SECRET=x", "=C:=weird"}
	for _, name := range names {
		environ = append(environ, name+"=x", name+"_FILE=x")
	}
	require.NoError(t, checkUnknown(environ))
}

func TestCheckUnknownListsAllWithSuggestions(t *testing.T) {
	t.Parallel()
	err := allProblems(checkUnknown([]string{
		"HOLDFAST_RETRY_BUGDET=hunter2",
		"HOLDFAST_OPERATORTOKEN=hunter2",
		"HOLDFAST_SOURCE=hunter2",
		"HOLDFAST_FROBNICATE=hunter2",
		"HOLDFAST_PORT_8080_TCP=tcp://10.0.0.1:8080",
		"HOLDFAST_SERVICE_HOST=10.0.0.1",
		"HOLDFAST_LISTEN=:1",
		"HOLDFAST_OPERATOR_TOKN_FILE=/run/hunter2",
		"HOLDFAST_FROB_FILE=/run/hunter2",
	}))
	require.EqualError(t, err, `8 problems with the settings:
  HOLDFAST_FROBNICATE: is no setting; `+"`holdfast settings`"+` lists all
  HOLDFAST_FROB_FILE: is no setting; `+"`holdfast settings`"+` lists all
  HOLDFAST_OPERATORTOKEN: is no setting; did you mean HOLDFAST_OPERATOR_TOKEN?
  HOLDFAST_OPERATOR_TOKN_FILE: is no setting; did you mean HOLDFAST_OPERATOR_TOKEN_FILE?
  HOLDFAST_PORT_8080_TCP: is no setting; Kubernetes sets it for a service named holdfast: set enableServiceLinks: false in the pod
  HOLDFAST_RETRY_BUGDET: is no setting; did you mean HOLDFAST_RETRY_BUDGET?
  HOLDFAST_SERVICE_HOST: is no setting; Kubernetes sets it for a service named holdfast: set enableServiceLinks: false in the pod
  HOLDFAST_SOURCE: is no setting; did you mean HOLDFAST_SOURCES?`)
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"abc", "abc", 0},
		{"abc", "", 3},
		{"abc", "acb", 1}, // neighbours swapped
		{"abc", "ab", 1},
		{"abc", "xbc", 1},
		{"kitten", "sitting", 3},
	} {
		require.Equal(t, c.want, editDistance(c.a, c.b), "%s %s", c.a, c.b)
	}
}

func TestEditDistanceIsSymmetricAndBounded(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[A-E_]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := editDistance(a, b)
		require.Equal(t, d, editDistance(b, a))
		require.LessOrEqual(t, d, max(len(a), len(b)))
		require.Equal(t, a == b, d == 0)
	})
}
