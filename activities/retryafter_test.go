package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"120":                           2 * time.Minute,
		" 5 ":                           5 * time.Second,
		"-5":                            0,
		"soon":                          0,
		"Sat, 14 Mar 2026 10:30:00 GMT": 90 * time.Minute,
		"Sat, 14 Mar 2026 08:30:00 GMT": 0,
		"9223372036854775807":           maxRetryAfter,
		"99999999999999999999999":       maxRetryAfter,
		"-99999999999999999999999":      0,
		"Fri, 31 Dec 9999 23:59:59 GMT": maxRetryAfter,
	} {
		require.Equal(t, want, retryAfter(value, now), value)
	}
}

func TestSigningKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ secret, problem string }{
		"WithoutPrefix": {"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0", "must begin with whsec_"},
		"NotBase64":     {"whsec_hunter2!!", "is not base64"},
		"TooShort":      {"whsec_aHVudGVyMg==", "not 24 to 64"},
		"Good":          {"whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := signingKey(providers.Secret(c.secret))
			if c.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.problem)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
