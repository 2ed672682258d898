package operator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

const (
	defaultLimit = 100
	maxLimit     = 1000     // a page that a terminal and a browser can still hold
	maxRequest   = 64 << 10 // bytes; a thousand sequences fit many times
	maxNote      = 1000     // bytes of a reason or a name
)

// params are the query parameters of a request: each known, and given once.
type params map[string]string

// query reads the parameters and refuses those that are not allowed: a filter
// with a spelling mistake would otherwise select everything.
func (r request) query(allowed ...string) (params, error) {
	values, err := url.ParseQuery(r.Request.URL.RawQuery)
	if err != nil {
		return nil, bad("the query cannot be read: percent-encode its values, for example id=redo%%2Fr1")
	}
	found := params{}
	for name, given := range values {
		switch {
		case !slices.Contains(allowed, name) && len(allowed) == 0:
			return nil, bad("unknown parameter %q: this path takes none", name)
		case !slices.Contains(allowed, name):
			return nil, bad("unknown parameter %q: this path takes %s", name, strings.Join(allowed, ", "))
		case len(given) > 1:
			return nil, bad("parameter %q is given more than once", name)
		}
		found[name] = given[0]
	}
	return found, nil
}

func (p params) limit() (int, error) {
	text, given := p["limit"]
	if !given {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, bad("limit must be a number from 1 to %d, for example limit=50", maxLimit)
	}
	return limit, nil
}

// bound reads the sequence after or before which a page lies; 0: it has no bound.
func (p params) bound(name string) (int64, error) {
	text, given := p[name]
	if !given {
		return 0, nil
	}
	bound, err := strconv.ParseInt(text, 10, 64)
	// After 0 is everything, and so no mistake; before 0 is nothing.
	if err != nil || bound < 0 || (bound == 0 && name == "before") {
		return 0, bad("%s must be a sequence, for example %s=1042", name, name)
	}
	return bound, nil
}

// newest tells whether the end of what matches is wanted, instead of its
// beginning.
func (p params) newest() (bool, error) {
	text, given := p["newest"]
	_, after := p["after"]
	switch {
	case !given || text == "false":
		return false, nil
	case text != "true":
		return false, bad("newest must be true or false, for example newest=true")
	case after:
		return false, bad("give newest or after, not both: the pages of newest go back, for example newest=true&before=1042")
	}
	return true, nil
}

// moment reads an RFC 3339 time; empty is the zero time.
func moment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, bad("%s must be an RFC 3339 time, for example %s=2026-03-14T09:30:00Z (a + is written %%2B)", name, name)
	}
	return t.UTC(), nil
}

// status reads an event's status; empty means any.
func status(text string) (inbox.Status, error) {
	if text == "" || slices.Contains(inbox.Statuses(), inbox.Status(text)) {
		return inbox.Status(text), nil
	}
	var known []string
	for _, s := range inbox.Statuses() {
		known = append(known, string(s))
	}
	return "", bad("status must be one of %s, for example status=parked", strings.Join(known, ", "))
}

// sequence reads the sequence in the path.
func (r request) sequence() (int64, error) {
	sequence, err := strconv.ParseInt(r.Param("sequence"), 10, 64)
	if err != nil || sequence < 1 {
		return 0, bad("an event is named by its sequence, for example %s/1042", PathEvents)
	}
	return sequence, nil
}

// decode reads a JSON body strictly. An empty one leaves into as it is.
func (r request) decode(into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(r.Writer, r.Request.Body, maxRequest))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return bad("the body must be one JSON object")
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return bad("field %q must be a %s", wrong.Field, jsonKind(wrong.Type.Kind().String()))
	}
	if text := err.Error(); strings.HasPrefix(text, "json: unknown field ") {
		return bad("unknown field %s in the body", strings.TrimPrefix(text, "json: unknown field "))
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return bad("the body must not be longer than %d bytes", maxRequest)
	}
	return bad(`the body must be a JSON object, for example {"reason":"destination is down","by":"kim"}`)
}

func jsonKind(kind string) string {
	switch {
	case strings.HasPrefix(kind, "int"):
		return "whole number"
	case kind == "bool":
		return "true or false"
	case kind == "slice":
		return "list"
	case kind == "struct":
		return "JSON object"
	default:
		return kind
	}
}

// note checks what a person says for the audit.
func note(name, text string) error {
	if len(text) > maxNote {
		return bad("%s must not be longer than %d bytes", name, maxNote)
	}
	if strings.ContainsRune(text, 0) {
		return bad("%s must not contain NUL", name)
	}
	return nil
}
