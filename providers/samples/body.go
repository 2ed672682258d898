package samples

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

//go:embed bodies
var bodies embed.FS

func cmpOr(values ...string) string { return cmp.Or(values...) }

// object is a JSON object with its numbers as they came.
type object = map[string]any

// embedded reads one of our own bodies.
func embedded(name string) object {
	b, err := bodies.ReadFile("bodies/" + name + ".json")
	if err != nil {
		panic(err) // it is compiled in
	}
	body, err := decode(b)
	if err != nil {
		panic(fmt.Sprintf("bodies/%s.json: %v", name, err))
	}
	return body
}

func decode(b []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var body object
	if err := decoder.Decode(&body); err != nil || body == nil {
		return nil, fmt.Errorf("%w: the body is not a JSON object", ErrOptions)
	}
	return body, nil
}

func encode(body any) []byte {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // made of what decode returns and of strings
	}
	return b
}

// in returns the object at a path of names and list positions.
func in(body object, path ...any) object {
	var at any = body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			at = at.(object)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	return at.(object)
}

// identity is a UUID that depends on nothing but what it is made of, so that
// the same options make the same delivery.
func identity(what string, o Options) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d|%d", what, o.Type, o.Subject, o.At.UnixNano(), o.N))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// moment is the time of the N-th event, a millisecond after the one before: two
// series begun seconds apart share no time even if they are long.
func moment(o Options) time.Time { return o.At.Add(time.Duration(o.N) * time.Millisecond) }

const precise = "2006-01-02T15:04:05.000000Z07:00"

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json"}}
}
