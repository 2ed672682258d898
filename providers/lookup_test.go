package providers_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	for name, c := range map[string]struct {
		env   map[string]string
		value string
		set   bool
		err   string
	}{
		"Nothing":               {},
		"TheVariable":           {env: map[string]string{"X": "hunter2"}, value: "hunter2", set: true},
		"AnEmptyVariableIsSet":  {env: map[string]string{"X": ""}, set: true},
		"TheFile":               {env: map[string]string{"X_FILE": file("plain", "hunter2")}, value: "hunter2", set: true},
		"ItsLineBreakIsNot":     {env: map[string]string{"X_FILE": file("break", "hunter2\n")}, value: "hunter2", set: true},
		"NorThatOfAnEditor":     {env: map[string]string{"X_FILE": file("crlf", "hunter2\r\n")}, value: "hunter2", set: true},
		"OnlyTheLastOne":        {env: map[string]string{"X_FILE": file("lines", "a\nb\n\n")}, value: "a\nb\n", set: true},
		"QuotesAndBackslashes":  {env: map[string]string{"X_FILE": file("odd", "\"`\\n\xff")}, value: "\"`\\n\xff", set: true},
		"BothAreAContradiction": {env: map[string]string{"X": "hunter2", "X_FILE": file("both", "hunter2")}, set: true, err: "X_FILE: is set, and X is too: remove one of them"},
		"NoPath":                {env: map[string]string{"X_FILE": " "}, set: true, err: "X_FILE: is set but empty; give it the path of a file, or remove it"},
		"NoFile":                {env: map[string]string{"X_FILE": dir + "/none"}, set: true, err: "X_FILE: the file " + dir + "/none cannot be read: there is no such file"},
		"AFolder":               {env: map[string]string{"X_FILE": dir}, set: true, err: "X_FILE: the file " + dir + " cannot be read: it is a folder"},
		"AnEmptyFile":           {env: map[string]string{"X_FILE": file("empty", " \n")}, set: true, err: "X_FILE: the file " + dir + "/empty is empty"},
		"NoText":                {env: map[string]string{"X_FILE": file("binary", "a\x00b")}, set: true, err: "X_FILE: the file " + dir + "/binary is no text: it holds a zero byte"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, set, err := providers.Lookup(func(name string) (string, bool) {
				value, set := c.env[name]
				return value, set
			}, "X")
			require.Equal(t, c.value, value)
			require.Equal(t, c.set, set)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.err)
			var setting *providers.SettingError
			require.ErrorAs(t, err, &setting)
		})
	}
}

// Not parallel: it sets environment variables.
func TestASourcesSettingsFromFiles(t *testing.T) {
	dir := t.TempDir()
	secret, tolerance := filepath.Join(dir, "secret"), filepath.Join(dir, "tolerance")
	require.NoError(t, os.WriteFile(secret, []byte("hunter2,hunter2\n"), 0o600))
	require.NoError(t, os.WriteFile(tolerance, []byte("5m\n"), 0o600))
	t.Setenv("HOLDFAST_SOURCE_R_SECURITY_KEY_FILE", secret)
	t.Setenv("HOLDFAST_SOURCE_R_SIGNATURE_TOLERANCE_FILE", tolerance)
	_, err := dialect(t, "redeam").New("HOLDFAST_SOURCE_R")
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(tolerance, []byte("soon\n"), 0o600))
	t.Setenv("HOLDFAST_SOURCE_R_SECURITY_KEY", "hunter2")
	t.Setenv("HOLDFAST_SOURCE_R_STAGING_FILE", filepath.Join(dir, "none"))
	t.Setenv("HOLDFAST_SOURCE_R_SECURTY_KEY_FILE", secret)
	_, err = dialect(t, "redeam").New("HOLDFAST_SOURCE_R")
	require.ErrorContains(t, err, "HOLDFAST_SOURCE_R_SECURITY_KEY_FILE: is set, and HOLDFAST_SOURCE_R_SECURITY_KEY is too")
	require.ErrorContains(t, err, "HOLDFAST_SOURCE_R_SIGNATURE_TOLERANCE: must be a duration")
	require.ErrorContains(t, err, "HOLDFAST_SOURCE_R_STAGING_FILE: the file "+dir+"/none cannot be read")
	require.ErrorContains(t, err, "HOLDFAST_SOURCE_R_SECURTY_KEY_FILE: there is no such setting")
	require.NotContains(t, err.Error(), "hunter2")

	t.Setenv("HOLDFAST_SOURCE_S_SECRET_FILE", secret)
	require.NoError(t, os.WriteFile(secret, []byte("hunter2 \n"), 0o600))
	_, err = dialect(t, "redo").New("HOLDFAST_SOURCE_S")
	require.EqualError(t, err, "HOLDFAST_SOURCE_S_SECRET: has spaces or a line break around it; remove them")
}

func dialect(t *testing.T, name string) providers.Dialect {
	t.Helper()
	for _, d := range providers.Dialects() {
		if d.Name == name {
			return d
		}
	}
	require.Fail(t, "no dialect", name)
	return providers.Dialect{}
}
