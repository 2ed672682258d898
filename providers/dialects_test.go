package providers_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

// A provider is a file, a test, a folder of recordings and a line. Whichever of
// them is there, the others must be.
func TestEveryDialectIsListedTestedAndRecorded(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, d := range providers.Dialects() {
		require.Regexp(t, `^[a-z0-9]+$`, d.Name)
		require.False(t, listed[d.Name], "%s is listed twice", d.Name)
		listed[d.Name] = true

		require.DirExists(t, filepath.Join("testdata", d.Name), "it has no recorded requests")
		test, err := os.ReadFile(d.Name + "_test.go")
		require.NoError(t, err, "it has no test")
		require.Contains(t, string(test), `providertest.Run(t, "`+d.Name+`")`)
		require.FileExists(t, d.Name+".go")
	}
	for _, name := range dialectFunctions(t) {
		require.True(t, listed[strings.TrimSuffix(name, "Dialect")], "%s has no line in Dialects", name)
	}
	folders, err := os.ReadDir("testdata")
	require.NoError(t, err)
	for _, folder := range folders {
		if folder.Name() != "fuzz" {
			require.True(t, listed[folder.Name()], "testdata/%s is of no dialect", folder.Name())
		}
	}
}

// dialectFunctions lists the functions of the package that return a Dialect.
func dialectFunctions(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			if result, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok && result.Name == "Dialect" {
				names = append(names, f.Name.Name)
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

func TestNamedFindsListedDialectsOnly(t *testing.T) {
	t.Parallel()
	d, ok := providers.Named("redo")
	require.True(t, ok)
	require.Equal(t, "redo", d.Name)
	_, ok = providers.Named("Redo")
	require.False(t, ok)
}

func TestPersonalSubjectsAreRedoxs(t *testing.T) {
	t.Parallel()
	for _, d := range providers.Dialects() {
		require.Equal(t, d.Name == "redox", d.PersonalSubjects, d.Name)
	}
}
