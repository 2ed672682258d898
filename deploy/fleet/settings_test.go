package fleet_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

// checkout is a folder with one file of settings.
func checkout(t *testing.T, content string) string {
	t.Helper()
	root := t.TempDir()
	folder := filepath.Join(root, "deploy", "settings")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a.env"), []byte(content), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "b.env"), []byte("TWO=b\n"), 0o600))
	return root
}

func TestSettingsAreReadFromFiles(t *testing.T) {
	t.Parallel()
	root := checkout(t, "# a comment\n\nONE=1=1\nTWO=a\n")
	settings, err := fleet.Settings(root, "a.env", "b.env")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"ONE": "1=1", "TWO": "b"}, settings)

	found, err := fleet.Checkout(filepath.Join(root, "deploy"))
	require.NoError(t, err)
	require.Equal(t, root, found)
	_, err = fleet.Checkout(t.TempDir())
	require.ErrorContains(t, err, "in no checkout")
}

func TestALineThatIsNoSettingIsNamedAndNotQuoted(t *testing.T) {
	t.Parallel()
	_, err := fleet.Settings(checkout(t, "ONE=1\ns3cret\n"), "a.env")
	require.ErrorContains(t, err, "a.env line 2")
	require.NotContains(t, err.Error(), "s3cret")
}

func TestThrowAwaySecretsAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := fleet.ThrowAwaySecrets(dir)
	require.NoError(t, err)
	require.NotEmpty(t, first["HOLDFAST_SOURCE_REDO_SECRET"])
	again, err := fleet.ThrowAwaySecrets(dir)
	require.NoError(t, err)
	require.Equal(t, first, again)

	info, err := os.Stat(filepath.Join(dir, "dev.env"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestSecretsOfTheOtherWayToTryHoldfastAreUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "dev.env")
	require.NoError(t, os.WriteFile(file, []byte("HOLDFAST_LISTEN=127.0.0.1:1\nHOLDFAST_SOURCE_REDO_SECRET=mine\n"), 0o600))
	secrets, err := fleet.ThrowAwaySecrets(dir)
	require.NoError(t, err)
	require.Equal(t, "mine", secrets["HOLDFAST_SOURCE_REDO_SECRET"])
	require.NotContains(t, secrets, "HOLDFAST_LISTEN", "it is no secret")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "HOLDFAST_LISTEN=127.0.0.1:1\n", "but it stays")
}
