package deploy_test

import (
	"debug/elf"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// instruction is a line of the Dockerfile, continued lines joined.
type instruction struct{ name, rest string }

// stages returns the Dockerfile's instructions, by stage.
func stages(t *testing.T) [][]instruction {
	t.Helper()
	var all [][]instruction
	text := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(read(t, "deploy/Dockerfile"), "")
	for _, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		if name == "FROM" {
			all = append(all, nil)
		}
		require.NotEmpty(t, all, "%s before any FROM", name)
		all[len(all)-1] = append(all[len(all)-1], instruction{name, strings.TrimSpace(rest)})
	}
	return all
}

// the returns what a stage says by an instruction, which it must have once.
func the(t *testing.T, stage []instruction, name string) string {
	t.Helper()
	var found []string
	for _, i := range stage {
		if i.name == name {
			found = append(found, i.rest)
		}
	}
	require.Len(t, found, 1, name)
	return found[0]
}

func TestImageIsSmallAndNotRoots(t *testing.T) {
	t.Parallel()
	all := stages(t)
	require.Len(t, all, 2)
	build, image := all[0], all[1]
	require.Regexp(t, `^golang:\d+\.\d+\.\d+-bookworm AS build$`, the(t, build, "FROM"))
	require.Equal(t, "scratch", the(t, image, "FROM"))
	require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, the(t, image, "USER"), "a number, which Kubernetes can tell from root's")
	require.Equal(t, `["/usr/local/bin/holdfast"]`, the(t, image, "ENTRYPOINT"))
	require.Equal(t, "8080 8081", the(t, image, "EXPOSE"))
	require.Contains(t, the(t, image, "LABEL"), `org.opencontainers.image.version="${VERSION}"`)
	var copied []string
	for _, i := range image {
		if i.name == "COPY" {
			require.True(t, strings.HasPrefix(i.rest, "--from=build "), "the image takes nothing from outside its build: %s", i.rest)
			copied = append(copied, i.rest[strings.LastIndex(i.rest, " ")+1:])
		}
		require.NotEqual(t, "RUN", i.name, "there is no shell to run it")
	}
	require.Equal(t, []string{
		"/etc/ssl/certs/ca-certificates.crt", "/usr/local/go/lib/time/zoneinfo.zip", "/usr/local/bin/holdfast",
	}, copied)
	// The users of the chart's pods and of the image are the same.
	user := strconv.Itoa(render(t, "fleet").deployment(t, "worker").SecurityContext.RunAsUser)
	require.Equal(t, user+":"+user, the(t, image, "USER"))
}

func TestImageHoldsAStaticProgramOfItsVersion(t *testing.T) {
	t.Parallel()
	var built string
	for _, i := range stages(t)[0] {
		if i.name == "RUN" && strings.Contains(i.rest, "go build") {
			built = i.rest
		}
	}
	for _, want := range []string{"CGO_ENABLED=0 ", " -trimpath ", "-X main.version=${VERSION}", " ./cmd/holdfast"} {
		require.Contains(t, built, want)
	}
	// The program of these tests is built in the same way.
	file, err := elf.Open(program(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
	for _, p := range file.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "an empty image has no loader")
	}
	require.Contains(t, run(t, program(t), "version"), "holdfast v0.0.0-test,")
}

// TestImageIsBuiltFromWhatItNeeds keeps secrets and inboxes out of layers, and the
// files that the program is made of in.
func TestImageIsBuiltFromWhatItNeeds(t *testing.T) {
	t.Parallel()
	var allowed, denied []string
	lines := strings.Split(strings.TrimSpace(read(t, ".dockerignore")), "\n")
	everything := false
	for _, line := range lines {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case line == "*":
			require.Empty(t, allowed, "a later * would take all back")
			everything = true
		case strings.HasPrefix(line, "!"):
			allowed = append(allowed, strings.TrimPrefix(line, "!"))
		default:
			denied = append(denied, line)
		}
	}
	require.True(t, everything)
	require.ElementsMatch(t, []string{"**/*_test.go", "**/testdata"}, denied)
	for _, path := range allowed {
		require.NotContains(t, path, "deploy", "secrets of Compose are there")
		require.NotContains(t, path, "data")
	}
	needed := run(t, "go", "list", "-C", root, "-deps", "-f",
		`{{$d := .Dir}}{{if .Module}}{{if .Module.Main}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`, "./cmd/holdfast")
	home, err := filepath.Abs(root)
	require.NoError(t, err)
	files := strings.Fields(needed)
	require.Greater(t, len(files), 100)
	for _, file := range files {
		relative, err := filepath.Rel(home, file)
		require.NoError(t, err)
		top, _, _ := strings.Cut(filepath.ToSlash(relative), "/")
		require.Contains(t, allowed, top, relative)
		require.NotContains(t, relative, "/testdata/", relative)
		require.False(t, strings.HasSuffix(relative, "_test.go"), relative)
	}
	require.Subset(t, allowed, []string{"go.mod", "go.sum"})
}
