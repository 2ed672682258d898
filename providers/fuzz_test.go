package providers_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func FuzzVerifyRedox(f *testing.F)        { fuzzVerify(f, "redox", "t0ken") }
func FuzzVerifyRedeam(f *testing.F)       { fuzzVerify(f, "redeam", "") }
func FuzzVerifyRedo(f *testing.F)         { fuzzVerify(f, "redo", "s3cret") }
func FuzzVerifySocialBoards(f *testing.F) { fuzzVerify(f, "socialboards", "t0ken") }

func FuzzParseRedox(f *testing.F)        { fuzzParse(f, "redox") }
func FuzzParseRedeam(f *testing.F)       { fuzzParse(f, "redeam") }
func FuzzParseRedo(f *testing.F)         { fuzzParse(f, "redo") }
func FuzzParseSocialBoards(f *testing.F) { fuzzParse(f, "socialboards") }

// seeds are the recorded bodies of a dialect.
func seeds(f *testing.F, dialect string) [][]byte {
	f.Helper()
	files, err := filepath.Glob("testdata/" + dialect + "/*/body.json")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	var bodies [][]byte
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		bodies = append(bodies, body)
	}
	return bodies
}

// fuzzVerify looks for a request that is accepted without its secret in the
// right place. The oracle says what may be accepted in the words of the sender's
// documentation, not of our code.
func fuzzVerify(f *testing.F, dialect, secret string) {
	f.Helper()
	p := sources()[dialect]
	for _, body := range seeds(f, dialect) {
		f.Add(http.MethodPost, "Bearer "+secret, secret, "challenge=1&verifyToken="+secret+"&verification-token="+secret, body)
		f.Add(http.MethodGet, "bearer "+secret+"x", "", "challenge=1&verifyToken=x", body)
	}
	f.Add(http.MethodPost, "", "", "", genuineRedeam().Body)
	f.Fuzz(func(t *testing.T, method, authorization, token, query string, body []byte) {
		values, _ := url.ParseQuery(query)
		r := providers.Request{
			Method: method, Header: http.Header{"Authorization": {authorization}, "Verification-Token": {token}},
			Query: values, Suffix: "product", Body: body, ReceivedAt: redeamNow,
		}
		if h, ok := p.(providers.Handshaker); ok {
			if answer, ok := h.Handshake(r); ok && answer.Status < 300 {
				require.True(t, allowedTest(dialect, secret, r), "a challenge is echoed to a stranger")
			}
		}
		if err := p.Verify(r); err != nil {
			require.ErrorIs(t, err, providers.ErrNotGenuine)
			return
		}
		require.Equal(t, http.MethodPost, method)
		require.True(t, allowed(dialect, secret, authorization, token, body), "a stranger is accepted")
	})
}

func fuzzParse(f *testing.F, dialect string) {
	f.Helper()
	p := sources()[dialect]
	for _, body := range seeds(f, dialect) {
		f.Add("product", body)
		f.Add("", body)
	}
	f.Fuzz(func(t *testing.T, suffix string, body []byte) {
		r := posted(string(body))
		if _, ok := p.(providers.Suffixed); ok {
			r.Suffix = suffix
		}
		events, err := p.Parse(r)
		again, errAgain := p.Parse(r)
		require.Equal(t, events, again)
		require.Equal(t, err, errAgain)
		if refuser, ok := p.(providers.Refuser); ok {
			require.Equal(t, 503, refuser.Refuse(r, 503, "later").Status)
		}
		if err != nil {
			require.Empty(t, events)
			require.True(t, errorIsAny(err, providers.ErrNotUnderstood, providers.ErrQuery), "%v", err)
			return
		}
		require.NotEmpty(t, events)
		keys := map[string]bool{}
		for _, e := range events {
			require.NotEmpty(t, e.Type)
			require.NotEmpty(t, e.Subject)
			require.NotEmpty(t, e.Key)
			require.LessOrEqual(t, len(e.Key), 200)
			require.False(t, keys[e.Key], "two events share a key")
			keys[e.Key] = true
		}
	})
}
