package providers

// maxDepth is how deep encoding/json goes. A body that is deeper is no JSON to
// any reader of Go.
const maxDepth = 10_000

// wellFormed tells whether a body is JSON, as json.Valid does, and several times
// as fast: of all that is done with a body this reads every byte of it. A test
// and a fuzz target hold it to json.Valid's verdict.
func wellFormed(body []byte) bool {
	f := form{cursor: cursor{data: body}}
	f.space()
	for f.value() {
		if done, good := f.behind(); done {
			return good
		}
	}
	return false
}

// form is a walk over what may be no JSON at all.
type form struct {
	cursor
	depth int
	open  [32]byte // the brackets that are not closed yet: nearly all bodies are as shallow
	deep  []byte   // and those inside of these
}

func (f *form) push(bracket byte) bool {
	if f.depth == maxDepth {
		return false
	}
	if f.depth < len(f.open) {
		f.open[f.depth] = bracket
	} else {
		f.deep = append(f.deep, bracket)
	}
	f.depth++
	return true
}

func (f *form) pop() {
	if f.depth--; f.depth >= len(f.open) {
		f.deep = f.deep[:f.depth-len(f.open)]
	}
}

// top is the bracket that is to be closed next.
func (f *form) top() byte {
	if f.depth <= len(f.open) {
		return f.open[f.depth-1]
	}
	return f.deep[f.depth-len(f.open)-1]
}

// value passes a value, or the beginning of one that has something in it up to its
// first value.
func (f *form) value() bool {
	for f.at < len(f.data) {
		switch c := f.data[f.at]; c {
		case '"':
			return f.string()
		case 't':
			return f.word("true")
		case 'f':
			return f.word("false")
		case 'n':
			return f.word("null")
		case '{', '[':
			f.at++
			f.space()
			if !f.push(c) {
				return false
			}
			if f.at < len(f.data) && f.data[f.at] == c+2 { // its closing one
				return true
			}
			if c == '{' && !f.name() {
				return false
			}
		default:
			return f.number()
		}
	}
	return false
}

// behind passes what follows a value, up to the next one. It is done at the end,
// and at what cannot follow.
func (f *form) behind() (done, good bool) {
	for {
		f.space()
		if f.depth == 0 {
			return true, f.at == len(f.data)
		}
		if f.at == len(f.data) {
			return true, false
		}
		switch f.data[f.at] {
		case ',':
			f.at++
			f.space()
			if f.top() == '{' && !f.name() {
				return true, false
			}
			return false, false
		case f.top() + 2:
			f.at++
			f.pop()
		default:
			return true, false
		}
	}
}

// name passes a member's name and the colon.
func (f *form) name() bool {
	if f.at == len(f.data) || f.data[f.at] != '"' || !f.string() {
		return false
	}
	f.space()
	if f.at == len(f.data) || f.data[f.at] != ':' {
		return false
	}
	f.at++
	f.space()
	return true
}

// string passes a string. What is no UTF-8 in it is JSON to the decoder.
func (f *form) string() bool {
	for f.at++; f.at < len(f.data); f.at++ {
		switch c := f.data[f.at]; {
		case c == '"':
			f.at++
			return true
		case c < ' ':
			return false
		case c == '\\' && !f.escape():
			return false
		}
	}
	return false
}

// escape stops at the last byte of an escape sequence.
func (f *form) escape() bool {
	if f.at++; f.at == len(f.data) {
		return false
	}
	switch f.data[f.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if f.at++; f.at == len(f.data) || !hexDigit(f.data[f.at]) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (f *form) word(word string) bool {
	end := f.at + len(word)
	if end > len(f.data) || string(f.data[f.at:end]) != word {
		return false
	}
	f.at = end
	return true
}

func (f *form) number() bool {
	if f.data[f.at] == '-' {
		f.at++
	}
	zero := f.at < len(f.data) && f.data[f.at] == '0'
	if digits := f.digits(); digits == 0 || zero && digits > 1 {
		return false
	}
	if f.at < len(f.data) && f.data[f.at] == '.' {
		if f.at++; f.digits() == 0 {
			return false
		}
	}
	if f.at < len(f.data) && (f.data[f.at] == 'e' || f.data[f.at] == 'E') {
		if f.at++; f.at < len(f.data) && (f.data[f.at] == '+' || f.data[f.at] == '-') {
			f.at++
		}
		return f.digits() > 0
	}
	return true
}

func (f *form) digits() (n int) {
	for f.at < len(f.data) && f.data[f.at] >= '0' && f.data[f.at] <= '9' {
		f.at++
		n++
	}
	return n
}
