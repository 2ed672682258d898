package ingress_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-project/holdfast/providers/samples"
)

// pathAttacks are about methods and paths.
func pathAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	var rows []attack
	for target, status := range map[string]int{
		"/webhooks/re%64o":               200, // the same URL, by RFC 3986
		"http://door/webhooks/redo":      200, // as a request to a proxy has it
		"//webhooks/redo":                404,
		"/webhooks//redo":                404,
		"/webhooks/redo/":                404,
		"/webhooks/redo//":               404,
		"/webhooks/./redo":               404,
		"/webhooks/../webhooks/redo":     404,
		"/webhooks/nobody/../redo":       404,
		"/webhooks/%2e%2e/redo":          404,
		"/webhooks/redo%2f":              404,
		"/webhooks%2fredo":               200, // the same after decoding, and no more allowed than it
		"/webhooks/redo%00":              404,
		"/webhooks/redo%0d%0aX:%20y":     404,
		"/webhooks/redo%20":              404,
		"/webhooks/REDO":                 404,
		"/WEBHOOKS/redo":                 404,
		"/webhooks/redo;x=y":             404,
		"/webhooks/redo/%ff":             404,
		"/webhooks/r%C3%A9do":            404,
		"/webhooks/%72%65%64%6f%2fx":     404,
		"/webhooks/":                     404,
		"/webhooks":                      404,
		"/":                              404,
		"*":                              404,
		"webhooks/redo":                  400,
		"/webhooks/redo%":                400,
		"/webhooks/redo%zz":              400,
		"/webhooks/redo\x01":             400,
		"http://[::1/webhooks/redo":      400,
		"/webhooks/" + long("redo"):      404,
		"/webhooks/redo/" + long("x"):    404,
		"/" + strings.Repeat("/", 30000): 404,
		"/" + strings.Repeat("a", 99999): 431,
		"/webhooks/redo?" + url.QueryEscape(long("q")):   200,
		"/webhooks/redo?" + strings.Repeat("a=b&", 7000): 200,
		"/webhooks/redo?%zz=%&;;=&&&=;a;b=%00":           200, // Redo has no query
	} {
		r := o.genuine(t, "redo", samples.Options{})
		r.target = target
		row := attack{name: shorten(target), send: r.String(), statuses: []int{status}}
		if status == 200 {
			row.stored = pending
		}
		rows = append(rows, row)
	}
	for suffix, status := range map[string]int{
		"product": 200, "%70roduct": 200, "unheardof": 200, "": 404, "%00": 404, "..": 404, ".": 404, "a%2fb": 404, "-x": 404,
		"a b": 400, "a%20b": 404, "%E2%80%AEx": 404, "a/b": 404, long("x"): 404,
	} {
		r := o.genuine(t, "redeam", samples.Options{Type: "product.updated"})
		r.target = "/webhooks/redeam/" + suffix
		row := attack{name: "Suffix " + shorten(suffix), send: r.String(), statuses: []int{status}}
		if status == 200 {
			row.stored = pending
		}
		rows = append(rows, row)
	}
	for method, status := range map[string]int{
		"GET": 405, "HEAD": 405, "PUT": 405, "PATCH": 405, "DELETE": 405, "TRACE": 405, "OPTIONS": 204, "BREW": 405, "post": 405,
		"POST\x00": 400, "PO ST": 400, "(": 400, strings.Repeat("M", 30000): 405, "CONNECT": 405,
	} {
		r := o.genuine(t, "redo", samples.Options{})
		r.method = method
		rows = append(rows, attack{name: "Method " + shorten(method), send: r.String(), statuses: []int{status}})
	}
	return rows
}

func long(s string) string { return strings.Repeat(s, 30000/len(s)) }

// shorten makes a name that can be read in a list of tests.
func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
