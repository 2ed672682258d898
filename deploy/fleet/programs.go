package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Programs are the paths of what a fleet runs.
type Programs struct {
	Holdfast        string
	TemporalServer  string
	TemporalSQLTool string
	// TemporalUI is not needed: without it a fleet has no web UI.
	TemporalUI string
}

// Checkout finds the root of the checkout that a directory is in.
func Checkout(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "deploy", "settings")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is in no checkout of Holdfast: there is no deploy/settings above it", dir)
		}
	}
}

// BuildUI makes Temporal's web UI in a checkout's bin folder, if it is not there yet.
func BuildUI(ctx context.Context, root string) (path string, err error) {
	script := exec.CommandContext(ctx, "sh", filepath.Join(root, "deploy", "temporal-ui.sh")) //nolint:gosec // the checkout's own
	script.Stderr = os.Stderr
	output, err := script.Output()
	if err != nil {
		return "", fmt.Errorf("build Temporal's web UI: %w", err)
	}
	return strings.TrimSpace(string(output)), nil
}

// Build makes the programs of a checkout: holdfast, from what the checkout holds, in
// dir, and in the checkout's bin folder, if they are not there yet, the Temporal
// server and its schema tool. Those take minutes, once.
func Build(ctx context.Context, root, dir string) (Programs, error) {
	server := exec.CommandContext(ctx, "sh", filepath.Join(root, "deploy", "temporal-server.sh")) //nolint:gosec // the checkout's own
	server.Stderr = os.Stderr
	folder, err := server.Output()
	if err != nil {
		return Programs{}, fmt.Errorf("build the Temporal server: %w", err)
	}
	bin := strings.TrimSpace(string(folder))
	p := Programs{
		Holdfast:        filepath.Join(dir, "holdfast"),
		TemporalServer:  filepath.Join(bin, "temporal-server"),
		TemporalSQLTool: filepath.Join(bin, "temporal-sql-tool"),
	}
	holdfast := exec.CommandContext(ctx, "go", "build", //nolint:gosec // the checkout's own
		"-ldflags", "-X main.version="+version(ctx, root), "-o", p.Holdfast, "./cmd/holdfast")
	holdfast.Dir = root
	if output, err := holdfast.CombinedOutput(); err != nil {
		return Programs{}, fmt.Errorf("build holdfast: %w: %s", err, output)
	}
	return p, nil
}

// version is what the Makefile calls a checkout's build: `make fleet` writes over the
// program of `make build`, and its version is what an operator is to see in both.
func version(ctx context.Context, root string) string {
	describe := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty")
	describe.Dir = root
	output, err := describe.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(output))
}

// tool runs a program to its end. Its output is in the error if it fails.
func tool(ctx context.Context, settings map[string]string, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the fleet's own programs
	cmd.Env = environ(settings)
	if output, err := cmd.CombinedOutput(); err != nil {
		name := filepath.Base(path) + " " + args[len(args)-1]
		return errors.Join(fmt.Errorf("%s: %w", name, err), errors.New(strings.TrimSpace(string(output))))
	}
	return nil
}
