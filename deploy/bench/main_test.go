package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// work is a package with a benchmark, as ours are but for where the time is taken.
const work = `package work

import (
	"crypto/sha256"
	"syscall"
	"testing"
)

// A remark.

const times = 100

var (
	kept  []byte
	input = make([]byte, 512)
)

func op() {
	kept = make([]byte, 64)
	for range times {
		sum := sha256.Sum256(input)
		copy(input, sum[:])
	}
}

func used() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkWork(b *testing.B) {
	for _, name := range []string{"One", "Other"} {
		b.Run(name, func(b *testing.B) {
			before := used()
			for b.Loop() {
				op()
			}
			b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
`

// checkout is a repository with that package and its baseline, all committed.
type checkout struct {
	t    *testing.T
	root string
}

func newCheckout(t *testing.T) *checkout {
	t.Helper()
	c := &checkout{t: t, root: t.TempDir()}
	c.file("go.mod", "module github.com/holdfast-project/holdfast\n\ngo 1.26.0\n")
	c.file("work/work_test.go", work)
	c.git("init", "-q")
	_, err := c.run("-write")
	require.NoError(t, err)
	c.git("add", ".")
	c.git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-q", "-m", "base")
	return c
}

func (c *checkout) file(path, content string) {
	c.t.Helper()
	path = filepath.Join(c.root, path)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(c.t, os.WriteFile(path, []byte(content), 0o600))
}

func (c *checkout) git(args ...string) {
	c.t.Helper()
	output, err := exec.CommandContext(c.t.Context(), "git", append([]string{"-C", c.root}, args...)...).CombinedOutput()
	require.NoError(c.t, err, string(output))
}

func (c *checkout) run(args ...string) (string, error) {
	c.t.Helper()
	var out bytes.Buffer
	err := run(c.t.Context(), c.root, append(append([]string{"-baseline", "baseline.txt"}, args...), "./work"), &out)
	c.t.Logf("bench %s: %v\n%s", strings.Join(args, " "), err, out.String())
	return out.String(), err
}

// Not parallel: what is measured is this machine.
func TestRegressionsAreToldFromNoise(t *testing.T) {
	c := newCheckout(t)
	change := func(old, changed string) {
		t.Helper()
		require.Equal(t, 1, strings.Count(work, old))
		c.file("work/work_test.go", strings.Replace(work, old, changed, 1))
	}

	out, err := c.run("-base", "HEAD")
	require.NoError(t, err)
	require.Contains(t, out, "2 benchmarks allocate no more")
	require.Contains(t, out, "the same program: ./work")

	change("// A remark.", "// Two lines\n// of remarks.") // another program that does the same
	out, err = c.run()
	require.NoError(t, err)
	require.NotContains(t, out, "the same program")
	require.Contains(t, out, "work.BenchmarkWork/Other")

	change("kept = make([]byte, 64)", "kept = append(make([]byte, 16), make([]byte, 48)...)") // two instead of one
	out, err = c.run("-quick")
	require.ErrorIs(t, err, errLarger)
	require.Contains(t, out, "work.BenchmarkWork/One: 2 allocs/op instead of 1")
	require.Contains(t, out, "make bench-baseline", "what to do")

	change("kept = make([]byte, 64)", "kept = make([]byte, 128)")
	out, err = c.run("-quick")
	require.ErrorIs(t, err, errLarger)
	require.Contains(t, out, "128 B/op instead of 64")

	change("times = 100", "times = 130")
	out, err = c.run()
	require.ErrorIs(t, err, errSlower)
	require.NotErrorIs(t, err, errLarger)
	require.Contains(t, out, "Slower: work.BenchmarkWork/One, work.BenchmarkWork/Other")
	require.Contains(t, out, "once more")

	change("times = 100", "times = 70")
	_, err = c.run()
	require.NoError(t, err, "faster is no regression")
}

func TestWhatCannotBeComparedIsSaid(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	_, err := c.run("-base", "no-such-revision")
	require.ErrorContains(t, err, "name one with BASE")
	_, err = c.run("-bench", "NoSuchBenchmark", "-quick")
	require.ErrorContains(t, err, "matches none")
	_, err = c.run("-rounds", "3")
	require.ErrorContains(t, err, "fewer than 6")
	_, err = c.run("-bench", "(")
	require.ErrorContains(t, err, "-bench")
	require.ErrorContains(t, run(t.Context(), c.root, nil, &bytes.Buffer{}), "name the packages")

	c.file("work/work_test.go", strings.Replace(work, `"Other"`, `"Other", "Third"`, 1))
	out, err := c.run("-quick")
	require.ErrorIs(t, err, errLarger)
	require.Contains(t, out, "work.BenchmarkWork/Third is not in the baseline")

	c.file("work/work_test.go", strings.Replace(work, "op()\n\t\t\t}", "op()\n\t\t\t\tb.Fatal(1)\n\t\t\t}", 1))
	_, err = c.run("-quick")
	require.ErrorContains(t, err, "run the benchmarks of ./work")
	c.file("work/work_test.go", "package work\n\nfunc")
	_, err = c.run("-quick")
	require.ErrorContains(t, err, "build the benchmarks of ./work")

	require.NoError(t, os.Remove(filepath.Join(c.root, "baseline.txt")))
	c.file("work/work_test.go", work)
	_, err = c.run("-quick")
	require.ErrorContains(t, err, "make bench-baseline")
}
