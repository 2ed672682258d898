package ingress_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-project/holdfast/providers/samples"
)

// What a malformed header does to a request: HTTP itself refuses it, it is still
// the same value, or it is another one.
type effect int

const (
	another effect = iota
	same
	noHTTP
	tooLong
)

// headerMalformations are lines for a header and its value.
func headerMalformations(name, value string) map[string]struct {
	lines  []string
	effect effect
} {
	type m = struct {
		lines  []string
		effect effect
	}
	line := func(v string) []string { return []string{name + ": " + v} }
	return map[string]m{
		"Missing":             {nil, another},
		"Empty":               {line(""), another},
		"OnlySpaces":          {line("    "), another},
		"Repeated":            {[]string{name + ": " + value, name + ": " + value}, another},
		"RepeatedWithAnother": {[]string{name + ": " + value, name + ": x"}, another},
		"RepeatedAfterOther":  {[]string{name + ": x", name + ": " + value}, another},
		"List":                {line(value + ", " + value), another},
		"Long":                {line(value + strings.Repeat("x", 10000)), another},
		"TooLong":             {line(value + strings.Repeat("x", 100000)), tooLong},
		"NUL":                 {line(value + "\x00"), noHTTP},
		"ControlCharacter":    {line("\x01" + value), noHTTP},
		"Delete":              {line(value + "\x7f"), noHTTP},
		"CarriageReturn":      {line(value + "\rX: y"), noHTTP},
		"UTF16":               {line(strings.Join(strings.Split(value, ""), "\x00")), noHTTP},
		"InvalidUTF8":         {line(value + "\xff\xfe"), another},
		"Latin1":              {line(value + "\xe4"), another},
		"NoBreakSpace":        {line(value + "\u00a0"), another},
		"ByteOrderMark":       {line("\ufeff" + value), another},
		"PercentEncoded":      {line("%" + strings.ToUpper(url.QueryEscape(value))), another},
		"Base64":              {line(base64.StdEncoding.EncodeToString([]byte(value))), another},
		"Quoted":              {line(`"` + value + `"`), another},
		"Capitals":            {line(strings.ToUpper(value)), another},
		"Folded":              {[]string{name + ": " + value, " folded"}, another},
		"SpaceBeforeColon":    {[]string{name + " : " + value}, noHTTP},
		"NoColon":             {[]string{name + " " + value}, noHTTP},
		"NoName":              {[]string{": " + value}, noHTTP},
		"NameNotASCII":        {[]string{name + "ü: " + value}, noHTTP},
		"NameInCapitals":      {[]string{strings.ToUpper(name) + ": " + value}, same},
		"SpacesAround":        {line(" \t" + value + "\t "), same},
		"NoSpace":             {[]string{name + ":" + value}, same},
	}
}

// headerAttacks malform each header that a provider sends, and some that
// proxies add. Those that prove something must be right; no other may keep a
// genuine request out, or reach what it should not.
func headerAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	var rows []attack
	for _, tt := range []struct {
		dialect, header string
		alone           string // the other proof, which is left out
		proof, single   bool
	}{
		{dialect: "redo", header: "Authorization", proof: true},
		{dialect: "redo", header: "Content-Type"},
		{dialect: "redox", header: "Authorization", alone: "Verification-Token", proof: true},
		{dialect: "redox", header: "Verification-Token", alone: "Authorization", proof: true},
		{dialect: "redox", header: "Application-Name"},
		{dialect: "redox", header: "Content-Type"},
		{dialect: "redeam", header: "Content-Type"},
		{dialect: "socialboards", header: "Content-Type"},
		{dialect: "redo", header: "X-Request-Id"},
		{dialect: "redeam", header: "X-Forwarded-For"},
		{dialect: "socialboards", header: "User-Agent"},
	} {
		value := ""
		for _, line := range o.genuine(t, tt.dialect, samples.Options{}).header {
			if line[0] == tt.header {
				value = line[1]
			}
		}
		if value == "" {
			value = "some-value"
		}
		for name, malformed := range headerMalformations(tt.header, value) {
			r := o.genuine(t, tt.dialect, samples.Options{}).with(tt.header)
			if tt.alone != "" {
				r = r.with(tt.alone)
			}
			for _, line := range malformed.lines {
				r.header = append(r.header, [2]string{"", line})
			}
			row := attack{name: tt.dialect + " " + tt.header + " " + name, send: r.String(), statuses: []int{200}, stored: pending}
			switch {
			case malformed.effect == noHTTP:
				row.statuses, row.stored = []int{400}, nil
			case malformed.effect == tooLong:
				row.statuses, row.stored = []int{431}, nil
			case malformed.effect == another && tt.proof:
				row.statuses, row.stored = []int{401}, nil
			}
			rows = append(rows, row)
		}
	}
	host := func(lines ...string) string {
		return o.genuine(t, "redo", samples.Options{}).with("Host", lines...).String()
	}
	return append(rows,
		attack{"Host Missing", host(), []int{400}, nil},
		attack{"Host Repeated", host("a", "b"), []int{400}, nil},
		attack{"Host Malformed", host("a b/c\"<>"), []int{400}, nil},
		attack{"Host Empty", host(""), []int{200}, pending},
		attack{"TooManyHeaders", o.genuine(t, "redo", samples.Options{}).with("X", strings.Split(strings.Repeat("y,", 3000), ",")...).String(), []int{400}, nil},
	)
}

// queryAttacks malform the parameters of the endpoint tests. Nothing of a test
// is ever stored, and a stranger's challenge is not echoed.
func queryAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	var rows []attack
	for dialect, tt := range map[string]struct{ name, token string }{
		"redox":        {"verification-token", o.settings["redox"]["TOKEN"]},
		"socialboards": {"verifyToken", o.settings["socialboards"]["VERIFY_TOKEN"]},
	} {
		good := tt.name + "=" + tt.token
		for query, status := range map[string]int{
			"challenge=1&" + good:                                               200,
			good + "&challenge=1&x=y":                                           200,
			"challenge=%00%01%ff%E2%80%AE&" + good:                              200, // as text that no browser looks into
			"challenge=%3Cscript%3E&" + good:                                    200,
			"challenge=" + strings.Repeat("1", 257) + "&" + good:                400,
			"challenge=" + long("1") + "&" + good:                               400,
			"challenge=1":                                                       401,
			"challenge=1&" + tt.name + "=":                                      401,
			"challenge=1&" + good + "&" + good:                                  401,
			"challenge=1&" + good + "&" + tt.name + "=x":                        401,
			"challenge=1&" + good + long("x"):                                   401,
			"challenge=1&" + good + "%00":                                       401,
			"challenge=1&" + good + "%ff":                                       401,
			"challenge=1&" + good + "+":                                         401,
			"challenge=1&" + tt.name + "=" + strings.ToUpper(tt.token):          401,
			"challenge=1&" + tt.name + "=" + url.QueryEscape(percent(tt.token)): 401,
			"challenge=1&" + tt.name + "=" + percent(tt.token):                  200, // the same value
			"challenge=1&" + strings.ToUpper(good):                              401,
			"challenge=1&" + tt.name + "[]=" + tt.token:                         401,
			"challenge=1;" + good:                                               405,
			"challenge=1&" + good + "&%zz=1":                                    200, // what cannot be read is left out
			"challenge=%zz&" + good:                                             405,
			"Challenge=1&" + good:                                               405,
			"challenge[]=1&" + good:                                             405,
			good:                                                                405,
			"":                                                                  405,
		} {
			send := "GET /webhooks/" + dialect + "?" + query + " HTTP/1.1\r\nHost: door\r\nConnection: close\r\n\r\n"
			rows = append(rows, attack{name: dialect + " " + shorten(strings.ReplaceAll(query, tt.token, "TOKEN")), send: send, statuses: []int{status}})
		}
	}
	// The two differ in what a challenge is: of two or none.
	for dialect, status := range map[string][2]int{"redox": {405, 405}, "socialboards": {401, 400}} {
		token := map[string]string{"redox": "verification-token=", "socialboards": "verifyToken="}[dialect] +
			map[string]string{"redox": o.settings["redox"]["TOKEN"], "socialboards": o.settings["socialboards"]["VERIFY_TOKEN"]}[dialect]
		for i, challenge := range []string{"challenge=1&challenge=2&", "challenge=&"} {
			send := "GET /webhooks/" + dialect + "?" + challenge + token + " HTTP/1.1\r\nHost: door\r\nConnection: close\r\n\r\n"
			rows = append(rows, attack{name: dialect + " " + challenge, send: send, statuses: []int{status[i]}})
		}
	}
	return rows
}

// percent encodes each byte, also where it need not be.
func percent(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("%" + string(digits[s[i]>>4]) + string(digits[s[i]&15]))
	}
	return b.String()
}
