package providertest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

// place is where in a request a proof is.
type place struct{ kind, name string }

func placeOf(t *testing.T, proof string) place {
	t.Helper()
	kind, name, found := strings.Cut(proof, ":")
	require.True(t, found, "a proof is header:…, query:… or body:…, not %q", proof)
	return place{kind, name}
}

func (p place) get(t *testing.T, r providers.Request) string {
	t.Helper()
	value := ""
	switch p.kind {
	case "header":
		value = r.Header.Get(p.name)
	case "query":
		value = r.Query.Get(p.name)
	case "body":
		switch v := p.parent(t, p.tree(t, r))[p.last()].(type) {
		case string:
			value = v
		case json.Number:
			value = v.String()
		}
	}
	require.NotEmpty(t, value, "the recorded request has no %s:%s", p.kind, p.name)
	return value
}

// set puts values in the place: none removes it. A body has one at most.
func (p place) set(t *testing.T, r providers.Request, values ...string) providers.Request {
	t.Helper()
	switch p.kind {
	case "header":
		r.Header.Del(p.name)
		for _, v := range values {
			r.Header.Add(p.name, v)
		}
	case "query":
		r.Query[p.name] = values
		if len(values) == 0 {
			r.Query.Del(p.name)
		}
	case "body":
		tree := p.tree(t, r)
		parent := p.parent(t, tree)
		_, number := parent[p.last()].(json.Number)
		delete(parent, p.last())
		for _, v := range values {
			parent[p.last()] = v
			if number && digits.MatchString(v) {
				parent[p.last()] = json.Number(v)
			}
		}
		body, err := json.Marshal(tree)
		require.NoError(t, err)
		r.Body = body
	default:
		require.FailNow(t, "a proof is header:…, query:… or body:…")
	}
	return r
}

var digits = regexp.MustCompile(`^[1-9][0-9]*$`)

func (p place) last() string { return p.name[strings.LastIndex(p.name, ".")+1:] }

func (p place) tree(t *testing.T, r providers.Request) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(r.Body))
	decoder.UseNumber()
	var tree map[string]any
	require.NoError(t, decoder.Decode(&tree))
	return tree
}

func (p place) parent(t *testing.T, tree map[string]any) map[string]any {
	t.Helper()
	path := strings.Split(p.name, ".")
	for _, name := range path[:len(path)-1] {
		next, ok := tree[name].(map[string]any)
		require.True(t, ok, "the body has no object at %s", name)
		tree = next
	}
	return tree
}
