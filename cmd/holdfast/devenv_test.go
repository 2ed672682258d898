package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDevEnvKeepsSettings(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	want := map[string]string{
		"HOLDFAST_SOURCES":            "redo,sandbox=redeam",
		"HOLDFAST_SOURCE_REDO_SECRET": "a=b#c d",
	}
	require.NoError(t, writeDevEnv(dir, map[string]string{"HOLDFAST_SOURCES": "older"}))
	require.NoError(t, writeDevEnv(dir, want))

	got, err := readDevEnv(dir)
	require.NoError(t, err)
	require.Equal(t, want, got)

	info, err := os.Stat(filepath.Join(dir, devEnvFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "only its owner may read secrets")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file stays")
}

func TestDevEnvMissingFileIsNoSettings(t *testing.T) {
	t.Parallel()
	got, err := readDevEnv(filepath.Join(t.TempDir(), "never", "made"))
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestDevEnvBrokenFileIsNamedAndNotQuoted(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"NoEqualsSign":  "hunter2hunter2",
		"NoName":        "=hunter2hunter2",
		"LowerCaseName": "secret=hunter2hunter2",
		"NameWithSpace": "A B=hunter2hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, devEnvFile), []byte("# fine\nA=1\n"+line+"\n"), 0o600))
			_, err := readDevEnv(dir)
			require.ErrorContains(t, err, "dev.env line 3 is not KEY=value")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestDevEnvRefusesWhatDoesNotFitOnALine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, bad := range []map[string]string{
		{"A": "hunter2\nB=2"},
		{"A=B": "hunter2"},
		{"": "hunter2"},
		{"1A": "hunter2"},
	} {
		err := writeDevEnv(dir, bad)
		require.ErrorContains(t, err, "does not fit")
		require.NotContains(t, err.Error(), "hunter2")
	}
	require.NoFileExists(t, filepath.Join(dir, devEnvFile))
}

func TestEnvironmentComesBeforeWhatIsKept(t *testing.T) {
	t.Parallel()
	env := environment(func(name string) (string, bool) {
		value, ok := map[string]string{"A": "environment", "EMPTY": ""}[name]
		return value, ok
	}).or(map[string]string{"A": "kept", "B": "kept", "EMPTY": "kept"})
	require.Equal(t, "environment", env.value("A", "default"))
	require.Equal(t, "kept", env.value("B", "default"))
	require.Equal(t, "default", env.value("C", "default"))
	require.Equal(t, "default", env.value("EMPTY", "default"), "set but empty is not what was kept either")
}
