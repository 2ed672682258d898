package providers

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

// Two readers of one body may disagree: of a name that is given twice our decoder
// takes the last, others the first, and some mind the case of names. An event
// would then be ordered under one id here and be about another at its
// destination. So a body in which a name that we read is given twice is not
// understood, unless both say the same, byte for byte. Of the names that we do
// not read nobody needs to agree.
var errTwice = errors.New("a name that counts is given twice, and readers differ in which they take")

// maxList is the longest list that is decoded into structs: far longer than any
// message has, and so short that a few megabytes of brackets do not become
// gigabytes of structs.
const maxList = 100_000

var errList = errors.New("a list is longer than any that is expected")

// unambiguous checks a body, which must be valid JSON, for being decoded into a
// type. With an interface as type every name counts.
func unambiguous(body []byte, into reflect.Type) error {
	r := reading{cursor: cursor{data: body}}
	r.value(into)
	return r.err
}

// reading follows what the decoder would read.
type reading struct {
	cursor
	err error
}

func (r *reading) value(t reflect.Type) {
	r.space()
	switch {
	case r.err != nil:
	case t == nil || t == reflect.TypeFor[json.RawMessage]():
		r.skip()
	case r.data[r.at] == '{' && (t.Kind() == reflect.Struct || t.Kind() == reflect.Map || t.Kind() == reflect.Interface):
		r.object(t)
	case r.data[r.at] == '[' && (t.Kind() == reflect.Slice || t.Kind() == reflect.Interface):
		r.list(t)
	default:
		r.skip()
	}
}

func (r *reading) object(t reflect.Type) {
	seen := map[string][]byte{}
	for name := range r.members() {
		name, inside, counts := within(t, name)
		if !counts {
			r.skip()
			continue
		}
		start := r.at
		r.value(inside)
		if r.err != nil {
			return
		}
		raw := r.data[start:r.at]
		if before, given := seen[name]; given && !bytes.Equal(before, raw) {
			r.err = errTwice
			return
		}
		seen[name] = raw
	}
}

func (r *reading) list(t reflect.Type) {
	inside := t
	if t.Kind() == reflect.Slice {
		inside = t.Elem()
	}
	n := 0
	for range r.elements() {
		if n++; n > maxList && inside.Kind() == reflect.Struct {
			r.err = errList
		}
		r.value(inside)
		if r.err != nil {
			return
		}
	}
}

// within tells what the decoder makes of a name in an object: the name and the
// type of what it fills, and whether it fills anything.
func within(t reflect.Type, name string) (as string, of reflect.Type, counts bool) {
	switch t.Kind() {
	case reflect.Struct:
		return filled(t, name)
	case reflect.Map:
		return name, t.Elem(), true
	default:
		return name, t, true
	}
}

// filled finds what a name fills, whatever its case, as the decoder does.
func filled(t reflect.Type, name string) (as string, of reflect.Type, found bool) {
	for i := range t.NumField() {
		candidate := t.Field(i)
		if candidate.Anonymous {
			if as, of, found = filled(candidate.Type, name); found {
				return as, of, true
			}
			continue
		}
		as, _, _ = strings.Cut(candidate.Tag.Get("json"), ",")
		if as == "" {
			as = candidate.Name
		}
		if strings.EqualFold(as, name) {
			return as, candidate.Type, true
		}
	}
	return "", nil, false
}
