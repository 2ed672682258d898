package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tree is a checkout, and where its programs go.
type tree struct{ root, programs string }

// program is a package's tests, built.
type program struct {
	pkg    string // such as ./ingress
	path   string
	folder string // that its tests run in
}

// build builds the tests of packages; of those that the tree does not have, none.
func build(ctx context.Context, t tree, packages []string) ([]program, error) {
	var all []program
	for _, pkg := range packages {
		folder, err := filepath.Abs(filepath.Join(t.root, pkg))
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
			continue
		}
		name := strings.NewReplacer("./", "", "/", "-").Replace(pkg) + ".test"
		path := filepath.Join(t.programs, name)
		// The same source in another place makes the same program.
		command := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", "-buildvcs=false", "-o", path, ".") //nolint:gosec // our own packages
		command.Dir = folder
		if output, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the benchmarks of %s: %w\n%s", pkg, err, output)
		}
		if _, err := os.Stat(path); err == nil { // else it has no tests
			all = append(all, program{pkg: pkg, path: path, folder: folder})
		}
	}
	return all, nil
}

// export writes a revision's files into a folder, without touching the checkout.
func export(ctx context.Context, root, commit, folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	archive := exec.CommandContext(ctx, "git", "-C", root, "archive", "--format=tar", commit) //nolint:gosec // a revision that git has named
	unpack := exec.CommandContext(ctx, "tar", "-x", "-C", folder)                             //nolint:gosec // a folder of our own
	var ofArchive, ofUnpack bytes.Buffer
	archive.Stderr, unpack.Stderr = &ofArchive, &ofUnpack
	files, err := archive.StdoutPipe()
	if err != nil {
		return err
	}
	unpack.Stdin = files
	if err := unpack.Start(); err != nil {
		return err
	}
	if err := errors.Join(archive.Run(), unpack.Wait()); err != nil {
		return fmt.Errorf("unpack revision %s: %w\n%s%s", commit, err, ofArchive.Bytes(), ofUnpack.Bytes())
	}
	return nil
}

// run runs a program's benchmarks once, on two processors whatever the machine has:
// how many senders share a commit depends on it.
func (p program) run(ctx context.Context, bench, benchtime string, into results) ([]byte, error) {
	command := exec.CommandContext(ctx, p.path, "-test.run", "^$", "-test.bench", bench, "-test.benchmem", //nolint:gosec // built by us
		"-test.benchtime", benchtime, "-test.cpu", "2", "-test.timeout", "30m")
	command.Dir = p.folder
	output, err := command.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("run the benchmarks of %s: %w\n%s", p.pkg, err, output)
	}
	into.read(output)
	return output, nil
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output() //nolint:gosec // our own words, and a revision behind --end-of-options
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(output)), nil
}
