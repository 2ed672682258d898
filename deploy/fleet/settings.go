package fleet

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// Settings reads files of deploy/settings under a checkout, such as common.env and
// worker.env; a later file stands before an earlier one.
func Settings(root string, files ...string) (map[string]string, error) {
	all := map[string]string{}
	for _, name := range files {
		settings, err := readSettings(filepath.Join(root, "deploy", "settings", name))
		if err != nil {
			return nil, err
		}
		maps.Copy(all, settings)
	}
	return all, nil
}

// readSettings reads KEY=value lines. An error does not quote a line, which may
// hold a secret.
func readSettings(path string) (map[string]string, error) {
	file, err := os.Open(path) //nolint:gosec // the checkout's own
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer file.Close()
	settings := map[string]string{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%s line %d is not KEY=value", path, n)
		}
		settings[name] = value
	}
	return settings, lines.Err()
}
