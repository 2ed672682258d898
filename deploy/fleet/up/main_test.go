package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrepareMakesAFolderThatPostgresGetsThrough(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for range 2 {
		dir, err := prepare(data)
		require.NoError(t, err)
		require.Equal(t, filepath.Join(data, "fleet"), dir)
		want := os.FileMode(0o700)
		if os.Geteuid() == 0 {
			want = 0o711 // it runs as another user then
		}
		for _, folder := range []string{data, dir} {
			info, err := os.Stat(folder)
			require.NoError(t, err)
			require.Equal(t, want, info.Mode().Perm(), folder)
		}
	}
}

func TestPortsAreFixedAndDifferent(t *testing.T) {
	t.Parallel()
	seen := map[int]string{}
	names := []string{"balancer", "postgres", "temporal", "temporal-ui"}
	for _, kind := range []string{"ingress", "worker"} {
		for n := range 2 {
			names = append(names, fmt.Sprintf("%s-%d-operator", kind, n+1))
		}
	}
	for _, name := range append(names, "ingress-1", "ingress-2") {
		require.NotZero(t, port(name), name)
		require.Empty(t, seen[port(name)], name)
		seen[port(name)] = name
	}
	require.Equal(t, "ingress-1-operator", seen[8081], "where the commands look")
	require.Zero(t, port("ingress-3"), "any free one")
}
