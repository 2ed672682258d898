package providers_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func TestHeadersAreJudgedWithoutTheBody(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		dialect         string
		header          http.Header
		proven, refused bool
	}{
		"RedoRight":            {"redo", http.Header{"Authorization": {"Bearer s3cret"}}, true, false},
		"RedoWrong":            {"redo", http.Header{"Authorization": {"Bearer wrong"}}, false, true},
		"RedoAbsent":           {"redo", http.Header{}, false, true},
		"RedoTwice":            {"redo", http.Header{"Authorization": {"Bearer s3cret", "Bearer s3cret"}}, false, true},
		"RedoxBearer":          {"redox", http.Header{"Authorization": {"Bearer t0ken"}}, true, false},
		"RedoxToken":           {"redox", http.Header{"Verification-Token": {"t0ken"}}, true, false},
		"RedoxAbsent":          {"redox", http.Header{}, false, false},
		"RedoxWrongBearer":     {"redox", http.Header{"Authorization": {"Bearer wrong"}}, false, true},
		"RedoxOtherScheme":     {"redox", http.Header{"Authorization": {"Basic t0ken"}}, false, true},
		"RedoxWrongToken":      {"redox", http.Header{"Verification-Token": {"wrong"}}, false, true},
		"RedoxEmptyToken":      {"redox", http.Header{"Verification-Token": {""}}, false, true},
		"RedoxOneOfBothWrong":  {"redox", http.Header{"Authorization": {"Bearer t0ken"}, "Verification-Token": {"wrong"}}, false, true},
		"RedoxTheOtherIsWrong": {"redox", http.Header{"Authorization": {"Bearer wrong"}, "Verification-Token": {"t0ken"}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ok := sources()[tt.dialect].(providers.HeaderVerifier)
			require.True(t, ok)
			r := posted("")
			r.Header, r.Body = tt.header, nil
			proven, err := p.VerifyHeader(r)
			require.Equal(t, tt.proven, proven)
			require.Equal(t, tt.refused, err != nil)
			if tt.refused {
				require.ErrorIs(t, err, providers.ErrNotGenuine)
			}
			r.Body = []byte(valid[tt.dialect])
			require.Equal(t, tt.proven, sources()[tt.dialect].Verify(r) == nil, "Verify agrees")
		})
	}
}

// A refusal before the body is read has only the content type to go by.
func TestRedoxRefusalOfAnUnreadBodyGoesByItsContentType(t *testing.T) {
	t.Parallel()
	refuser := sources()["redox"].(providers.Refuser)
	for contentType, want := range map[string]string{
		"application/fhir+json; charset=utf-8": `"resourceType":"OperationOutcome"`,
		"application/json":                     `"Errors":[{"Text":"unauthorized"}]`,
		"":                                     `"Errors":[{"Text":"unauthorized"}]`,
	} {
		r := posted("")
		r.Body = nil
		r.Header.Set("Content-Type", contentType)
		require.Contains(t, string(refuser.Refuse(r, http.StatusUnauthorized, "unauthorized").Body), want, contentType)
	}
}
