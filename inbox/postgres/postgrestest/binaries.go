package postgrestest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotInstalled means that the server's programs are nowhere on this machine.
var ErrNotInstalled = errors.New("no PostgreSQL server is installed here: install one " +
	"(on Debian, apt-get install postgresql), or put the directory of initdb and postgres on the PATH")

// binaries returns the directory of the server's programs: where pg_config says,
// where Debian keeps them, the newest first, or on the PATH.
func binaries(ctx context.Context) (string, error) {
	var dirs []string
	if said, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(said)))
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(debian, func(a, b string) int { // 15 before 9.6
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(b, a)
	})
	dirs = append(append(dirs, debian...), filepath.SplitList(os.Getenv("PATH"))...)
	for _, dir := range dirs {
		if runnable(filepath.Join(dir, "initdb")) && runnable(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", ErrNotInstalled
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
