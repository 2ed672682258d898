package providers

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
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

// fill reads valid JSON into a value, as encoding/json does but for what is
// ambiguous, in one walk that stops at nothing which the value's type does not
// read. A value of another type than expected counts as absent.
func fill(body []byte, into any) error {
	v := reflect.ValueOf(into).Elem()
	r := reading{cursor: cursor{data: body}}
	r.value(planOf(v.Type()), v)
	return r.err
}

// unambiguous checks valid JSON in which every name counts.
func unambiguous(body []byte) error {
	r := reading{cursor: cursor{data: body}}
	r.value(&plan{kind: readsAnything}, reflect.Value{})
	return r.err
}

// reading is one walk over a body.
type reading struct {
	cursor
	err error
}

func (r *reading) value(p *plan, into reflect.Value) {
	r.space()
	start, opened := r.at, r.data[r.at]
	switch {
	case p.kind == readsObject && opened == '{':
		r.object(p, into)
	case p.kind == readsList && opened == '[':
		r.list(p, into)
	case p.kind == readsNames && opened == '{':
		r.names(into)
	case p.kind == readsAnything && opened == '{':
		r.anyNames(p)
	case p.kind == readsAnything && opened == '[':
		for range r.elements() {
			if r.value(p, into); r.err != nil {
				return
			}
		}
	case p.kind == readsText:
		r.skip()
		_ = into.Addr().Interface().(*text).UnmarshalJSON(r.data[start:r.at]) // never fails
	case p.kind == readsRaw:
		r.skip()
		into.SetBytes(r.data[start:r.at:r.at])
	default:
		r.skip()
		if p.kind == readsOther {
			r.other(r.data[start:r.at], into)
		}
	}
}

// other is for what the dialects have no plan for, such as a bool.
func (r *reading) other(value []byte, into reflect.Value) {
	err := json.Unmarshal(value, into.Addr().Interface())
	if odd := (*json.UnmarshalTypeError)(nil); err != nil && !errors.As(err, &odd) {
		r.err = errNotJSON
	}
}

// object reads a struct. What a name said is remembered by its place in the plan.
func (r *reading) object(p *plan, into reflect.Value) {
	var room [16][]byte // no struct of ours reads as many names
	seen := room[:0]
	for range p.members {
		seen = append(seen, nil)
	}
	for name := range r.members() {
		at := p.member(name)
		if at < 0 {
			r.skip()
			continue
		}
		start, m := r.at, &p.members[at]
		if seen[at] == nil {
			r.value(m.plan, into.FieldByIndex(m.index))
		} else {
			r.skip()
		}
		if r.err != nil {
			return
		}
		said := r.data[start:r.at]
		if seen[at] != nil && !bytes.Equal(seen[at], said) {
			r.err = errTwice
			return
		}
		seen[at] = said
	}
}

// names reads a map.
func (r *reading) names(into reflect.Value) {
	all := map[string]json.RawMessage{}
	for quoted := range r.members() {
		name, start := unquoted(quoted), r.at
		r.skip()
		said := json.RawMessage(r.data[start:r.at:r.at])
		if before, given := all[name]; given && !bytes.Equal(before, said) {
			r.err = errTwice
			return
		}
		all[name] = said
	}
	into.Set(reflect.ValueOf(all))
}

// anyNames reads an object of which nothing is kept.
func (r *reading) anyNames(p *plan) {
	seen := map[string][]byte{}
	for quoted := range r.members() {
		name, start := unquoted(quoted), r.at
		if r.value(p, reflect.Value{}); r.err != nil {
			return
		}
		said := r.data[start:r.at]
		if before, given := seen[name]; given && !bytes.Equal(before, said) {
			r.err = errTwice
			return
		}
		seen[name] = said
	}
}

// list counts first, so that the elements have room once and for all.
func (r *reading) list(p *plan, into reflect.Value) {
	n, counting := 0, r.cursor
	for range counting.elements() {
		counting.skip()
		if n++; n > maxList && p.inside.kind == readsObject {
			r.err = errList
			return
		}
	}
	into.Set(reflect.MakeSlice(p.of, n, n))
	n = 0
	for range r.elements() {
		if r.value(p.inside, into.Index(n)); r.err != nil {
			return
		}
		n++
	}
}
