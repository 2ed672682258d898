package migration_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/internal/migration"
)

func filesOf(names ...string) fstest.MapFS {
	files := fstest.MapFS{"README": {}}
	for _, name := range names {
		files[name] = &fstest.MapFile{Data: []byte("-- " + name)}
	}
	return files
}

func TestStepsComeInOrder(t *testing.T) {
	t.Parallel()
	steps, err := migration.Read(filesOf("0002_second.sql", "0001_first.sql"))
	require.NoError(t, err)
	require.Equal(t, []migration.Step{
		{Version: 1, Name: "0001_first.sql", SQL: "-- 0001_first.sql"},
		{Version: 2, Name: "0002_second.sql", SQL: "-- 0002_second.sql"},
	}, steps)
}

func TestStepsHaveNoGaps(t *testing.T) {
	t.Parallel()
	for problem, files := range map[string]fstest.MapFS{
		"there are no migrations":                              filesOf(),
		"migration 0002_second.sql: its number should be 0001": filesOf("0002_second.sql"),
		"migration 0003_c.sql: its number should be 0002":      filesOf("0001_a.sql", "0003_c.sql"),
		"migration 0001_b.sql: its number should be 0002":      filesOf("0001_a.sql", "0001_b.sql"),
		"migration unnumbered.sql: its number should be 0001":  filesOf("unnumbered.sql"),
	} {
		_, err := migration.Read(files)
		require.EqualError(t, err, problem)
	}
}
