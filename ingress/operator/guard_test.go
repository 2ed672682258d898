package operator_test

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
)

func TestGuardWithAToken(t *testing.T) {
	t.Parallel()
	const token = "a-token-of-some-length"
	f := newOffice(t, func(o *operator.Options) { o.Config.OperatorToken = token })
	for name, tt := range map[string]struct {
		header string
		status int
	}{
		"None":            {"", 401},
		"Right":           {"Bearer " + token, 200},
		"SchemeInAnyCase": {"bearer " + token, 200},
		"Wrong":           {"Bearer " + token + "x", 401},
		"Shorter":         {"Bearer " + token[:5], 401},
		"Empty":           {"Bearer ", 401},
		"OtherScheme":     {"Basic " + token, 401},
		"Bare":            {token, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := f.do(t, "GET", operator.PathEvents, "", func(r *http.Request) {
				r.RemoteAddr, r.Host = "203.0.113.9:1", "holdfast.example"
				r.Header.Set("Authorization", tt.header)
			})
			require.Equal(t, tt.status, w.Code)
			require.NotContains(t, w.Body.String(), token)
			require.Equal(t, tt.status == 401, w.Header().Get("WWW-Authenticate") != "")
		})
	}
	for _, path := range []string{"/api/v1/nothing", operator.PathSubjectPark + "?id=x"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			require.Equal(t, http.StatusUnauthorized, f.do(t, method, path, "{}").Code, "%s %s", method, path)
		}
	}
}

func TestGuardWithoutAToken(t *testing.T) {
	t.Parallel()
	f := newOffice(t)
	for name, tt := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"Localhost":                {func(*http.Request) {}, 404},
		"LoopbackIP":               {func(r *http.Request) { r.Host = "127.0.0.1:8081" }, 404},
		"LoopbackIPv6":             {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:9", "[::1]:8081" }, 404},
		"BareIPv6":                 {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:9", "[::1]" }, 404},
		"AnotherMachine":           {func(r *http.Request) { r.RemoteAddr = "192.0.2.7:5000" }, 403},
		"NameThatResolvesHere":     {func(r *http.Request) { r.Host = "evil.example:8081" }, 403},
		"NameThatBeginsLikeOurs":   {func(r *http.Request) { r.Host = "localhost.evil.example" }, 403},
		"NoHost":                   {func(r *http.Request) { r.Host = "" }, 403},
		"BehindAProxy":             {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.9") }, 403},
		"FormOfAWebPage":           {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415},
		"TextOfAWebPage":           {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain; application/json") }, 415},
		"EmptyPostOfAWebPage":      {func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"JSONWithACharsetIsItself": {func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := f.do(t, "POST", operator.PathSubjectPause+"?id=redo/unknown", "{}", tt.change)
			require.Equal(t, tt.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), `"error":`)
		})
	}
}

func TestMetricsAreForNoWebPage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		token  providers.Secret
		host   string
		status int
	}{
		"Localhost":                      {"", "localhost:8081", 200},
		"LoopbackIP":                     {"", "127.0.0.1:8081", 200},
		"NameThatResolvesHere":           {"", "evil.example:8081", 403},
		"NoHost":                         {"", "", 403},
		"WithATokenTheListenerIsForMany": {"a-token-of-some-length", "holdfast.example", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newOffice(t, func(o *operator.Options) { o.Config.OperatorToken, o.Metrics = tt.token, prometheus.NewRegistry() })
			from := func(r *http.Request) { r.Host = tt.host }
			require.Equal(t, tt.status, f.do(t, "GET", "/metrics", "", from).Code)
			require.Equal(t, http.StatusOK, f.do(t, "GET", "/healthz", "", from).Code)
			require.Equal(t, http.StatusOK, f.do(t, "GET", "/readyz", "", from).Code)
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config  operator.Config
		problem string
	}{
		"LoopbackNeedsNoToken":    {operator.Config{OperatorListen: "127.0.0.1:8081"}, ""},
		"LocalhostNeedsNoToken":   {operator.Config{OperatorListen: "localhost:0"}, ""},
		"IPv6LoopbackNeedsNone":   {operator.Config{OperatorListen: "[::1]:8081"}, ""},
		"EverywhereNeedsAToken":   {operator.Config{OperatorListen: ":8081"}, "HOLDFAST_OPERATOR_TOKEN: must be set"},
		"AnAddressNeedsAToken":    {operator.Config{OperatorListen: "0.0.0.0:8081"}, "HOLDFAST_OPERATOR_TOKEN: must be set"},
		"EverywhereWithAToken":    {operator.Config{OperatorListen: ":8081", OperatorToken: "token"}, ""},
		"NoPort":                  {operator.Config{OperatorListen: "127.0.0.1"}, "HOLDFAST_OPERATOR_LISTEN"},
		"TokenThatCannotBeSent":   {operator.Config{OperatorListen: ":1", OperatorToken: "to\nken-4711"}, "HOLDFAST_OPERATOR_TOKEN: must be printable"},
		"TokenWithATrailingSpace": {operator.Config{OperatorListen: ":1", OperatorToken: "token-4711 "}, "HOLDFAST_OPERATOR_TOKEN: must be printable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.config.Validate()
			if tt.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.problem)
			require.NotContains(t, err.Error(), "4711")
		})
	}
}
