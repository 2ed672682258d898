package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// devEnvFile holds, in the data directory, the settings that `holdfast dev` made
// up: KEY=value lines that only their owner can read. `holdfast send` signs with
// them, and the next `holdfast dev` uses them again.
const devEnvFile = "dev.env"

// writeDevEnv replaces the file as a whole, so that a reader sees the old
// settings or the new ones. It creates the directory if there is none.
func writeDevEnv(dir string, settings map[string]string) error {
	var b bytes.Buffer
	b.WriteString("# Throw-away settings of `holdfast dev`. Delete this file to get new ones.\n")
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value := settings[key]
		if !isEnvName(key) || strings.ContainsAny(value, "\n\r\x00") {
			return fmt.Errorf("write %s: %q has a name or a value that does not fit on a KEY=value line", devEnvFile, key)
		}
		fmt.Fprintf(&b, "%s=%s\n", key, value)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write %s: %w", devEnvFile, err)
	}
	// os.CreateTemp makes files with mode 0600.
	f, err := os.CreateTemp(dir, devEnvFile+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", devEnvFile, err)
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, devEnvFile))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", devEnvFile, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// readDevEnv returns the file's settings, none if there is no file.
func readDevEnv(dir string) (map[string]string, error) {
	path := filepath.Join(dir, devEnvFile)
	content, err := os.ReadFile(path) //nolint:gosec // the directory is the user's own choice
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings of `holdfast dev`: %w", err)
	}
	settings := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || !isEnvName(key) {
			// The line is not quoted: it may hold a secret.
			return nil, fmt.Errorf("%s line %d is not KEY=value: mend it, or delete the file to get new settings", path, n)
		}
		settings[key] = value
	}
	return settings, lines.Err()
}

// isEnvName tells whether a string is an upper-case name of an environment variable.
func isEnvName(s string) bool {
	for i, r := range s {
		letter := r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
