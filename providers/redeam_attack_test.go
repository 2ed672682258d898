package providers_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

const (
	redeamKey   = "k3yOfTheseTests-8b1fd0c2" // not that of the recordings
	redeamToken = "901c2f7e-0d51-4a43-8b0e-5f1c7d2a3b01"
	redeamUnix  = 1773480413
)

var redeamNow = time.Unix(redeamUnix, 0).Add(time.Minute)

func redeamSource() providers.Provider {
	return providers.Make(&providers.RedeamConfig{SecurityKey: redeamKey, Signature: "hmac-sha256", SignatureTolerance: 24 * time.Hour})
}

func redeamSum(signed string) string {
	mac := hmac.New(sha256.New, []byte(redeamKey))
	mac.Write([]byte(signed))
	return hex.EncodeToString(mac.Sum(nil))
}

// redeamRequest is signed over signed, and says timestamp and token as they are
// in JSON.
func redeamRequest(signed, timestamp, token string) providers.Request {
	body := fmt.Sprintf(`{"supplierID":"s","productID":"p","operation":"updated","signature":{"sum":%q,"timestamp":%s,"token":%s}}`,
		redeamSum(signed), timestamp, token)
	return providers.Request{Method: http.MethodPost, Suffix: "product", Body: []byte(body), ReceivedAt: redeamNow}
}

func genuineRedeam() providers.Request {
	signed := fmt.Sprintf("%d%s", redeamUnix, redeamToken)
	return redeamRequest(signed, fmt.Sprint(redeamUnix), `"`+redeamToken+`"`)
}

func parseOne(t *testing.T, p providers.Provider, r providers.Request) providers.Event {
	t.Helper()
	events, err := p.Parse(r)
	require.NoError(t, err)
	require.Len(t, events, 1)
	return events[0]
}

// Time and token are signed without a border between them. Whoever has one
// signature must not make a second token of it by moving the border.
func TestRedeamSignatureCannotBeSplitAnew(t *testing.T) {
	t.Parallel()
	p := redeamSource()
	require.NoError(t, p.Verify(genuineRedeam()))
	signed := fmt.Sprintf("%d%s", redeamUnix, redeamToken)
	for digits := 1; digits < 20; digits++ {
		if digits == len(fmt.Sprint(redeamUnix)) {
			continue
		}
		r := redeamRequest(signed, signed[:min(digits, 13)], `"`+signed[min(digits, 13):]+`"`)
		require.ErrorIs(t, p.Verify(r), providers.ErrNotGenuine, "the border after digit %d", digits)
	}

	millis := fmt.Sprintf("%d123%s", redeamUnix, redeamToken)
	require.NoError(t, p.Verify(redeamRequest(millis, millis[:13], `"`+redeamToken+`"`)))
	require.ErrorIs(t, p.Verify(redeamRequest(millis, millis[:10], `"`+millis[10:]+`"`)), providers.ErrNotGenuine)
}

func TestRedeamTokenWithAnotherBodyHasAnotherDigest(t *testing.T) {
	t.Parallel()
	p, r := redeamSource(), genuineRedeam()
	original := parseOne(t, p, r)
	for name, body := range map[string]string{
		"AnotherProduct":   `{"supplierID":"s","productID":"q","operation":"updated","signature":{"token":"` + redeamToken + `"}}`,
		"AnotherOperation": `{"supplierID":"s","productID":"p","operation":"removed","signature":{"token":"` + redeamToken + `"}}`,
		"OneFieldMore":     `{"supplierID":"s","productID":"p","operation":"updated","x":null,"signature":{"token":"` + redeamToken + `"}}`,
		"OtherCase":        `{"supplierID":"s","PRODUCTID":"p","operation":"updated","signature":{"token":"` + redeamToken + `"}}`,
	} {
		attached := r
		attached.Body = []byte(body)
		e := parseOne(t, p, attached)
		require.Equal(t, original.Key, e.Key, name)
		require.NotEqual(t, original.Digest, e.Digest, name)
	}
	elsewhere := r
	elsewhere.Suffix = "rate"
	require.NotEqual(t, original.Digest, parseOne(t, p, elsewhere).Digest, "another path")

	again := r
	again.Body = []byte(` { "signature": {"token":"` + redeamToken + `","timestamp":1773480999,"sum":"x"}, "operation":"updated","productID":"p", "supplierID":"s"}`)
	require.Equal(t, original.Digest, parseOne(t, p, again).Digest, "a retry that is signed and ordered anew")
}

func TestRedeamToleranceIsBothWays(t *testing.T) {
	t.Parallel()
	p, r := redeamSource(), genuineRedeam()
	signedAt := time.Unix(redeamUnix, 0)
	for received, ok := range map[time.Time]bool{
		signedAt:                                  true,
		signedAt.Add(24 * time.Hour):              true,
		signedAt.Add(-24 * time.Hour):             true,
		signedAt.Add(24*time.Hour + time.Second):  false,
		signedAt.Add(-24*time.Hour - time.Second): false,
		{}: false,
	} {
		r.ReceivedAt = received
		if err := p.Verify(r); ok {
			require.NoError(t, err, received)
		} else {
			require.ErrorIs(t, err, providers.ErrNotGenuine, received)
		}
	}
}

func TestRedeamOddSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	unix, token := fmt.Sprint(redeamUnix), `"`+redeamToken+`"`
	for name, r := range map[string]providers.Request{
		"TimestampAsFloat":       redeamRequest(unix+redeamToken, unix+".0", token),
		"TimestampWithExponent":  redeamRequest(unix+redeamToken, "1.773480413e9", token),
		"NegativeTimestamp":      redeamRequest("-"+unix+redeamToken, "-"+unix, token),
		"TimestampWithZeros":     redeamRequest(unix+redeamToken, `"0`+unix+`"`, token),
		"TimestampWithPlus":      redeamRequest(unix+redeamToken, `"+`+unix+`"`, token),
		"EndlessTimestamp":       redeamRequest(unix+redeamToken, unix+"00000000000000000000", token),
		"TimestampIsNull":        redeamRequest(redeamToken, "null", token),
		"TokenIsNotPrintable":    redeamRequest(unix+"a\x00b", unix, `"a\u0000b"`),
		"TokenIsNotASCII":        redeamRequest(unix+"ä", unix, `"ä"`),
		"TokenIsAnObject":        redeamRequest(unix+redeamToken, unix, "{}"),
		"SignatureIsOverNothing": redeamRequest("", unix, token),
	} {
		err := redeamSource().Verify(r)
		require.ErrorIs(t, err, providers.ErrNotGenuine, name)
		require.NotContains(t, err.Error(), redeamToken, name)
	}
}

func TestRedeamMD5SumIsRefusedUnderHMAC(t *testing.T) {
	t.Parallel()
	sum := md5.Sum(fmt.Appendf(nil, "%s%d%s", redeamKey, redeamUnix, redeamToken))
	r := genuineRedeam()
	r.Body = fmt.Appendf(nil, `{"productID":"p","signature":{"sum":%q,"timestamp":%d,"token":%q}}`, hex.EncodeToString(sum[:]), redeamUnix, redeamToken)
	require.ErrorContains(t, redeamSource().Verify(r), "32 characters instead of 64; see SIGNATURE")

	md5s := providers.Make(&providers.RedeamConfig{SecurityKey: redeamKey, Signature: "md5", SignatureTemplate: "{key}{timestamp}{token}", SignatureTolerance: time.Hour})
	require.NoError(t, md5s.Verify(r))
	require.ErrorIs(t, md5s.Verify(genuineRedeam()), providers.ErrNotGenuine)
}

func TestRedeamTypesHaveKeysOfTheirOwn(t *testing.T) {
	t.Parallel()
	own := providers.RedeamConfig{SecurityKeys: "rate:0therKey," + "product:" + redeamKey, Signature: "hmac-sha256", SignatureTolerance: time.Hour}
	r := genuineRedeam()
	require.NoError(t, providers.Make(&own).Verify(r))
	r.Suffix = "rate"
	require.ErrorIs(t, providers.Make(&own).Verify(r), providers.ErrNotGenuine, "signed with another type's key")
	r.Suffix = "supplier"
	require.ErrorContains(t, providers.Make(&own).Verify(r), "no security key for this type")

	shared := own
	shared.SecurityKey, shared.SecurityKeys = redeamKey, "rate:0therKey"
	r.Suffix = "rate"
	require.ErrorIs(t, providers.Make(&shared).Verify(r), providers.ErrNotGenuine, "the shared key signs for a type with its own")
	shared.PreviousSecurityKey = redeamKey
	require.NoError(t, providers.Make(&shared).Verify(r), "unless it is the previous one")
}

func TestRedeamSuffixIsOneWord(t *testing.T) {
	t.Parallel()
	p, ok := redeamSource().(providers.Suffixed)
	require.True(t, ok)
	for suffix, accepted := range map[string]bool{
		"": true, "rate": true, "price-schedule": true, "priceSchedule": true,
		"rate/x": false, "..": false, " ": false, "rate\n": false, "ä": false, "-": false,
	} {
		require.Equal(t, accepted, p.AcceptsSuffix(suffix), "%q", suffix)
	}
}
