package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	return string(content)
}

// A promise is worth as much as the test that attacks it.
func TestEveryPromiseNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(readme(t), "| Promise | Attacked by |\n|---|---|\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	require.GreaterOrEqual(t, len(rows), 7)
	link := regexp.MustCompile(`\[(\w+)\]\(([^)]+)\)`)
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "|"), "|")
		require.Len(t, cells, 2, row)
		tests := link.FindAllStringSubmatch(cells[1], -1)
		require.NotEmpty(t, tests, row)
		for _, test := range tests {
			require.True(t, strings.HasSuffix(test[2], "_test.go"), test[2])
			source, err := os.ReadFile(filepath.Join(root, test[2]))
			require.NoError(t, err)
			require.Contains(t, string(source), "\nfunc "+test[1]+"(t *testing.T) {", "%s", test[2])
		}
	}
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		target := link[1]
		if strings.HasPrefix(target, "https://") {
			continue
		}
		if heading, local := strings.CutPrefix(target, "#"); local {
			pattern := `(?mi)^#+ ` + strings.ReplaceAll(regexp.QuoteMeta(heading), "-", "[ -]") + `$`
			require.Regexp(t, pattern, text)
			continue
		}
		_, err := os.Stat(filepath.Join(root, target))
		require.NoError(t, err)
	}
}

// The README's handler is the one that compiles and runs as an example, and it
// has at most ten lines.
func TestReadmeHandlerIsTheExample(t *testing.T) {
	t.Parallel()
	_, code, found := strings.Cut(readme(t), "```go\n")
	require.True(t, found)
	code, _, _ = strings.Cut(code, "```")
	require.LessOrEqual(t, strings.Count(code, "\n"), 10)
	example, err := os.ReadFile(filepath.Join(root, "activities/example_test.go"))
	require.NoError(t, err)
	require.Contains(t, string(example), "\t"+strings.ReplaceAll(strings.TrimSuffix(code, "\n"), "\n", "\n\t"))
}

// Each header of a delivery is in the table of headers.
func TestReadmeNamesEveryHeader(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join(root, "activities/destination.go"))
	require.NoError(t, err)
	names := regexp.MustCompile(`(?m)^\tHeader\w+\s+= "([\w-]+)"`).FindAllStringSubmatch(string(source), -1)
	require.GreaterOrEqual(t, len(names), 11)
	text := readme(t)
	for _, name := range names {
		require.Contains(t, text, "`"+name[1]+"`")
	}
}
