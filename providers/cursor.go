package providers

import (
	"bytes"
	"encoding/json"
	"slices"
)

// cursor walks over valid JSON, without a copy and at any depth.
type cursor struct {
	data []byte
	at   int
}

// members yields the names of an object, as they are in quotes, each with the cursor
// on its value, which the loop must take.
func (c *cursor) members() func(yield func(quoted []byte) bool) {
	return func(yield func([]byte) bool) {
		for c.at++; c.next() != '}'; {
			start := c.at
			c.skip()
			name := c.data[start:c.at]
			c.space()
			c.at++ // the colon
			c.space()
			if !yield(name) {
				return
			}
		}
		c.at++
	}
}

// elements stops at each value of a list, which the loop must take.
func (c *cursor) elements() func(yield func() bool) {
	return func(yield func() bool) {
		for c.at++; c.next() != ']'; {
			if !yield() {
				return
			}
		}
		c.at++
	}
}

// next passes a comma and returns what comes then.
func (c *cursor) next() byte {
	c.space()
	if c.data[c.at] == ',' {
		c.at++
		c.space()
	}
	return c.data[c.at]
}

func (c *cursor) space() {
	for c.at < len(c.data) {
		switch c.data[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

// skip passes a value, however deep.
func (c *cursor) skip() {
	depth := 0
	for c.at < len(c.data) {
		switch c.data[c.at] {
		case '"':
			c.text()
			if depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return // behind a number or a word
			}
			if depth--; depth == 0 {
				c.at++
				return
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return
			}
		}
		c.at++
	}
}

func (c *cursor) text() {
	for c.at++; c.data[c.at] != '"'; c.at++ {
		if c.data[c.at] == '\\' {
			c.at++
		}
	}
	c.at++
}

// unquoted is a name as the decoder reads it.
func unquoted(raw []byte) string {
	if name := raw[1 : len(raw)-1]; plain(name) {
		return string(name)
	}
	var name string
	_ = json.Unmarshal(raw, &name) // a part of what is valid
	return name
}

// split returns the elements of a list in valid JSON, at most limit and one
// more, without copying them; null is an empty list.
func split(list json.RawMessage, limit int) (elements []json.RawMessage, ok bool) {
	c := cursor{data: list}
	c.space()
	if bytes.Equal(bytes.TrimSpace(list), []byte("null")) {
		return nil, true
	}
	if list[c.at] != '[' {
		return nil, false
	}
	for range c.elements() {
		start := c.at
		c.skip()
		elements = append(elements, list[start:c.at])
		if len(elements) > limit {
			break
		}
	}
	return elements, true
}

// pick returns the values of some names of an object in valid JSON, in the names'
// order and the last of each, without copying anything; nothing of what is no object.
func pick(body []byte, names ...string) []json.RawMessage {
	c, picked := cursor{data: body}, make([]json.RawMessage, len(names))
	c.space()
	if c.at == len(body) || body[c.at] != '{' {
		return picked
	}
	for quoted := range c.members() {
		start := c.at
		c.skip()
		if i := slices.IndexFunc(names, func(name string) bool { return says(quoted, name) }); i >= 0 {
			picked[i] = body[start:c.at]
		}
	}
	return picked
}

// says tells whether a name in quotes is this one.
func says(quoted []byte, name string) bool {
	if written := quoted[1 : len(quoted)-1]; plain(written) {
		return string(written) == name
	}
	return unquoted(quoted) == name
}

// nodes counts the values of valid JSON, but for a few.
func nodes(body []byte) int {
	c, n := cursor{data: body}, 0
	for c.at < len(body) {
		switch body[c.at] {
		case '"':
			c.text()
			continue
		case ',', ':':
			n++
		}
		c.at++
	}
	return n
}
