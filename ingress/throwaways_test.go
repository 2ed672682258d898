package ingress_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// throwAways are the settings of the sources, by dialect.
type throwAways struct{ settings map[string]map[string]string }

func newThrowAways() *throwAways {
	t := &throwAways{settings: map[string]map[string]string{}}
	made := 0
	random := func() string { made++; return fmt.Sprintf("throw-away-%032d", made) }
	for _, dialect := range providers.Dialects() {
		t.settings[dialect.Name] = samples.ThrowAway(dialect.Name, random)
	}
	return t
}

func (s *throwAways) sample(t *testing.T, dialect string, o samples.Options) samples.Sample {
	t.Helper()
	sample, err := samples.Make(dialect, samples.Fill(dialect, o, func(name string) string { return s.settings[dialect][name] }))
	require.NoError(t, err)
	return sample
}
