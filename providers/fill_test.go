package providers_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

// requireDecoders reads a body into every type that we read bodies into, and wants
// what encoding/json makes of it, unless it is ambiguous. It tells how many read it.
func requireDecoders(t *testing.T, body []byte) (read int) {
	t.Helper()
	if !json.Valid(body) {
		return 0
	}
	for _, ours := range providers.Decoded() {
		theirs := reflect.New(reflect.TypeOf(ours).Elem()).Interface()
		if providers.Fill(body, ours) != nil {
			continue
		}
		read++
		err := json.Unmarshal(body, theirs)
		if odd := (*json.UnmarshalTypeError)(nil); !errors.As(err, &odd) {
			require.NoError(t, err)
		}
		require.Equal(t, theirs, ours, "%.500q", body)
	}
	return read
}

// Each of these has something at which two decoders could part.
var odd = []string{
	`null`, `true`, `1`, `"x"`, `[]`, `{}`, ` [ null , {} , 1, "x", [] ] `, `{"":1}`, `{"a":null}`,
	`{"type":null,"at":1,"return":null}`, `{"type":[1],"at":{"a":2},"return":[]}`, `{"type":-1.5e3,"return":{"id":true,"updatedAt":"x"}}`,
	`{"TYPE":"a","At":"b","rEtUrN":{"ID":"c","UPDATEDAT":"d"}}`, `{"\u0074ype":"a","return":{"\u0069d":"\u0031\n\ud83d\ude00"}}`,
	"{\"type\":\"\xff\",\"return\":{\"id\":\"\u00e9\xc3\"}}", "{\"Tic\u212aetId\":2,\"event\u017f\":[1]}", "{\"\xff\":1}", `{"type\u0000":"a"}`, `{"typ":1,"types":2," type":3}`,
	`{"type":"a\"b\\c\/d\u0000"}`, `{"type":"a","type":"a"}`, `{"return":{"id":1},"Return":{"id":1}}`,
	`{"Meta":{"Test":true,"Logs":[]},"Patient":{"Identifiers":null}}`, `{"Meta":{"Test":"true","Logs":[null,1,{"ID":2},[]]}}`, `{"Meta":{"Test":1,"Logs":{}}}`, `{"Meta":{"Test":null,"Logs":null}}`, `{"Meta":{"Test":false}}`,
	`{"Patient":{"Identifiers":[{"ID":1},{"IDType":"MR"},null,"x",{"id":null}]},"Visit":{"VisitNumber":[{}]}}`,
	`{"entry":[{"fullUrl":1,"resource":{"id":2,"focus":[{"reference":"x"},3],"identifier":[ 1 , 2 ],"subject": {"a":[1,2]} ,"patient":null}}],"id":7,"Type":"t","resourceType":"r"}`,
	`{"Events":null}`, `{"Events": "x" }`, `{"Events":[ {"a":1} , 2 ]}`, `{"events":1.50}`, `{"Ticket":{"ID":1},"Conversation":[],"conversationid":"x"}`,
	`[{"system":"s","value":1,"type":{"coding":[{"code":"MR"},{"code":null}]}},{"type":{"coding":{}}}]`, `{"reference":"a","identifier":{"value":"b"}}`,
}

func TestABodyIsReadAsEncodingJSONReadsIt(t *testing.T) {
	t.Parallel()
	read := 0
	for _, body := range odd {
		require.Positive(t, requireDecoders(t, []byte(body)), body)
	}
	files, err := filepath.Glob("testdata/*/*/body.json")
	require.NoError(t, err)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		requireDecoders(t, body)
		// And with each of its names in other words.
		for _, change := range []func(string) string{strings.ToUpper, strings.ToLower} {
			read += requireDecoders(t, []byte(change(string(body))))
		}
	}
	for _, body := range odd {
		if len(body) < 100 {
			for _, other := range others(body) {
				read += requireDecoders(t, []byte(other))
			}
		}
	}
	require.Greater(t, read, 10_000, "few were read at all")
}

func FuzzFill(f *testing.F) {
	for _, body := range odd {
		f.Add([]byte(body))
	}
	for dialect := range sources() {
		for _, body := range seeds(f, dialect) {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { requireDecoders(t, body) })
}
