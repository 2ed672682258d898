package operator

import (
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// guard lets in who has the token. Without a token it lets in this machine's
// users, but no web page in their browser: a page that has its own name resolved
// to 127.0.0.1 is known by its Host header, one that posts a form by the form's
// content type.
func (a *API) guard(c *gin.Context) {
	if token := a.Config.OperatorToken; token != "" {
		scheme, given, _ := strings.Cut(c.GetHeader("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || !token.Equals(strings.TrimSpace(given)) {
			c.Header("WWW-Authenticate", `Bearer realm="holdfast"`)
			c.AbortWithStatusJSON(http.StatusUnauthorized, ErrorJSON{Error: "unauthorized: send HOLDFAST_OPERATOR_TOKEN as Authorization: Bearer"})
		}
		return
	}
	if status, problem := stranger(c.Request); problem != "" {
		c.AbortWithStatusJSON(status, ErrorJSON{Error: problem})
	}
}

// guardHost keeps web pages away from what needs no token: without a token the
// listener is this machine's, and only a page comes under another name.
func (a *API) guardHost(c *gin.Context) {
	if a.Config.OperatorToken == "" && !localHost(c.Request) {
		c.AbortWithStatusJSON(http.StatusForbidden, ErrorJSON{Error: notLocalHost})
	}
}

const notLocalHost = "forbidden: the Host header is no loopback name; use http://127.0.0.1, or set HOLDFAST_OPERATOR_TOKEN"

func localHost(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return isLoopback(host)
}

// stranger says why a request without a token is not from this machine's user.
func stranger(r *http.Request) (status int, problem string) {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !isLoopback(peer) {
		return http.StatusForbidden, "forbidden: only this machine gets in; set HOLDFAST_OPERATOR_TOKEN to get in from elsewhere"
	}
	if !localHost(r) {
		return http.StatusForbidden, notLocalHost
	}
	if r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != "" {
		return http.StatusForbidden, "forbidden: behind a proxy everybody looks local; set HOLDFAST_OPERATOR_TOKEN"
	}
	if r.Method != http.MethodPost {
		return 0, ""
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, "send Content-Type: application/json; without HOLDFAST_OPERATOR_TOKEN it keeps web pages out"
	}
	return 0, ""
}
