package providers

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"
)

// plan is what a type reads of JSON. It is made once of each type.
type plan struct {
	kind    planKind
	of      reflect.Type
	members []planned // of a struct
	inside  *plan     // of a list's elements
}

type planKind int

const (
	readsOther    planKind = iota // left to the decoder
	readsText                     // text
	readsRaw                      // json.RawMessage: kept as it is, and looked into by nobody
	readsObject                   // a struct
	readsList                     // a slice
	readsNames                    // a map of json.RawMessage: every name counts, as it is written
	readsAnything                 // an interface: every name counts, at any depth
)

// planned is a name that a struct reads, in whatever case, as the decoder does.
type planned struct {
	name  string // ASCII
	index []int
	plan  *plan
}

var plans sync.Map // of *plan by reflect.Type

func planOf(t reflect.Type) *plan {
	if known, ok := plans.Load(t); ok {
		return known.(*plan)
	}
	made, _ := plans.LoadOrStore(t, newPlan(t))
	return made.(*plan)
}

func newPlan(t reflect.Type) *plan {
	p := &plan{of: t}
	switch {
	case t == reflect.TypeFor[text]():
		p.kind = readsText
	case t == reflect.TypeFor[json.RawMessage]():
		p.kind = readsRaw
	case t == reflect.TypeFor[map[string]json.RawMessage]():
		p.kind = readsNames
	case t.Kind() == reflect.Interface:
		p.kind = readsAnything
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		p.kind = readsOther
	case t.Kind() == reflect.Struct:
		p.kind, p.members = readsObject, membersOf(t, nil)
	case t.Kind() == reflect.Slice:
		p.kind, p.inside = readsList, planOf(t.Elem())
	}
	return p
}

// membersOf lists what a struct and the structs embedded in it read.
func membersOf(t reflect.Type, at []int) []planned {
	var all []planned
	for i := range t.NumField() {
		field := t.Field(i)
		index := append(at[:len(at):len(at)], i)
		if field.Anonymous {
			all = append(all, membersOf(field.Type, index)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		all = append(all, planned{name: name, index: index, plan: planOf(field.Type)})
	}
	return all
}

// member finds what a name in quotes, as it is in the body, fills; -1: nothing.
func (p *plan) member(quoted []byte) int {
	name := quoted[1 : len(quoted)-1]
	if !plain(name) {
		return p.folded(unquoted(quoted))
	}
	for i := range p.members {
		if equalFold(name, p.members[i].name) {
			return i
		}
	}
	return -1
}

func (p *plan) folded(name string) int {
	for i := range p.members {
		if strings.EqualFold(name, p.members[i].name) {
			return i
		}
	}
	return -1
}

// plain tells whether what is between quotes is what it says: ASCII without
// escapes.
func plain(name []byte) bool {
	for _, c := range name {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// equalFold is strings.EqualFold of two ASCII texts.
func equalFold(name []byte, other string) bool {
	if len(name) != len(other) {
		return false
	}
	for i, c := range name {
		if d := other[i]; c != d && (c|0x20 != d|0x20 || c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}
