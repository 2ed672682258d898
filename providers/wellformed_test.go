package providers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

// forms are bodies of every kind of JSON, and of every way to be none.
var forms = []string{
	"", " ", "{}", "[]", " { } ", "\t[\r\n]", "{", "}", "[", "]", "{]", "[}", "[}]", "{}{}", "[][]", "{},", "null", "nul", "nulll", "true", "tru", "false", "falsey", "Null",
	`""`, `"a"`, `"`, `"a`, `"a" `, `"a"x`, `"\"`, `"\\"`, `"\""`, `"\`, `"\n\t\b\f\r\/\""`, `"\a"`, `"\u00e9"`, `"\u00E9"`, `"\u00g9"`, `"\u00e"`, `"\u`, "\"\n\"", "\"\x00\"", "\"\x1f\"", "\"\x7f\"",
	"\"\xff\xfe\"", "\"\u00e9\"", "\"\u2028\"", "\xef\xbb\xbf{}", "\u00a0{}", "\v{}", "\f[]",
	"0", "-0", "1", "-1", "00", "01", "-01", "-", "+1", ".5", "5.", "0.5", "0.", "1.5e3", "1e", "1e+", "1e-", "1E5", "1e05", "1.e5", "1e5.5", "1e5e5", "0x1", "1_0", "1 2", "--1", "NaN", "Infinity", "1a",
	`{"a":1}`, `{"a":1,}`, `{,"a":1}`, `{"a"}`, `{"a":}`, `{"a",1}`, `{a:1}`, `{1:1}`, `{"a":1 "b":2}`, `{"a":1,"b":2}`, `{"a":1,,"b":2}`, `{"a"::1}`, `{"a":{"b":[{}]}}`, `{ "a" : 1 , "b" : [ 1 , 2 ] }`, `{"a":1]`, `{:1}`, `{"a":1,2}`, `{"a":"b":1}`,
	`[1]`, `[1,]`, `[,1]`, `[1,,2]`, `[1 2]`, `[1,2]`, `["a",{"b":null},true]`, `["a":1]`, `[{]}`, `[[[[]]]]`, `[[[[]]]`, `[[],[],{}]`, `[-]`, `[1e]`, `[truefalse]`, `[true,false]`, `[1}`, "[1,\x00]",
}

// others are what a sample becomes when one byte of it is another, or is gone, or
// is there twice.
func others(body string) (all []string) {
	for i := range len(body) {
		for _, c := range []string{"", "{", "}", "[", "]", ",", ":", `"`, `\`, "0", "-", ".", "e", "t", " ", "\n", "\x00", "\xff", body[i:i+1] + body[i:i+1]} {
			all = append(all, body[:i]+c+body[i+1:])
		}
	}
	return all
}

func TestWellFormedIsWhatTheDecoderTakes(t *testing.T) {
	t.Parallel()
	verdicts := map[bool]int{}
	agree := func(body string) {
		want := json.Valid([]byte(body))
		verdicts[want]++
		require.Equal(t, want, providers.WellFormed([]byte(body)), "%.200q", body)
	}
	for _, form := range forms {
		agree(form)
		agree("[" + form + "]")
		agree(`{"a":` + form + `}`)
	}
	for _, body := range others(`{"a": [1, -2.5e+3, "x\u00e9\n", {"b": null, "c": true}, [], {}], "d": 0.1, "e": false}`) {
		agree(body)
	}
	for _, depth := range []int{31, 32, 33, 9_999, 10_000, 10_001, 1 << 20} {
		agree(strings.Repeat("[", depth) + strings.Repeat("]", depth))
		agree(strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth))
		agree(strings.Repeat(`[{"a":`, depth/2) + "1" + strings.Repeat("}]", depth/2))
		agree(strings.Repeat("[", depth))
	}
	require.Greater(t, verdicts[true], 200)
	require.Greater(t, verdicts[false], 200)
}

func FuzzWellFormed(f *testing.F) {
	for _, form := range forms {
		f.Add([]byte(form))
	}
	for dialect := range sources() {
		for _, body := range seeds(f, dialect) {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		require.Equal(t, json.Valid(body), providers.WellFormed(body))
	})
}
