package main

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHalfAFleetSaysOnceWhatIsWrongWithItsInbox(t *testing.T) { // not parallel: it sets the environment
	for name, c := range map[string]struct{ setting, value, want string }{
		"ItIsNotSet":          {"HOLDFAST_TASK_QUEUE", "hooks", "HOLDFAST_INBOX: ./data/inbox.db is an SQLite file, which only one process can use"},
		"ItIsAFile":           {"HOLDFAST_INBOX", "sqlite:x.db", "HOLDFAST_INBOX: x.db is an SQLite file, which only one process can use"},
		"ItIsEmpty":           {"HOLDFAST_INBOX", "", "HOLDFAST_INBOX: is set but empty"},
		"ItsFileIsNotThere":   {"HOLDFAST_INBOX_FILE", filepath.Join(t.TempDir(), "inbox"), "HOLDFAST_INBOX_FILE: the file "},
		"ItNamesNoDatabase":   {"HOLDFAST_INBOX", "postgres://db.test", "HOLDFAST_INBOX: names no database"},
		"ItIsOfAnUnknownKind": {"HOLDFAST_INBOX", "mysql://db.test/holdfast", "HOLDFAST_INBOX: must be sqlite: and a file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(c.setting, c.value)
			t.Setenv("HOLDFAST_ROUTES", "*=log:")
			_, err := loadProcess(roles{worker: true}, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n", "one problem")
		})
	}
}
