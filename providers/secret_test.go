package providers_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	config := &providers.RedoConfig{Secret: "s3cret", PreviousSecret: "s3cret"}
	encoded, err := json.Marshal(config)
	require.NoError(t, err)
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).InfoContext(t.Context(), "x", "secret", config.Secret, "config", *config)
	for _, printed := range []string{
		fmt.Sprint(config.Secret), fmt.Sprintf("%v %+v %#v %q", *config, *config, *config, config.Secret), string(encoded), logged.String(),
	} {
		require.NotContains(t, printed, "s3cret")
		require.Contains(t, printed, "[secret]")
	}
	require.Equal(t, "s3cret", config.Secret.Reveal())
}

func TestSecretEqualsItselfOnly(t *testing.T) {
	t.Parallel()
	require.True(t, providers.Secret("s3cret").Equals("s3cret"))
	for _, given := range []string{"", "s3cre", "s3cret ", "S3cret"} {
		require.False(t, providers.Secret("s3cret").Equals(given))
	}
	require.False(t, providers.Secret("").Equals(""), "an empty secret lets everybody in")
}
