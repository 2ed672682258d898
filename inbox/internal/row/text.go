package row

import (
	"strings"
	"unicode/utf8"
)

// escape begins two hexadecimal digits in a Text. No text that people send has it.
const (
	escape = '\x01'
	digits = "0123456789abcdef"
)

// Text is s in a form that every database can store and JSON can carry: valid
// UTF-8 without NUL. Nearly always it is s itself. Plain brings s back; different
// strings have different Texts.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\x01") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == escape || (r == utf8.RuneError && size == 1) {
			b.Write([]byte{escape, digits[s[i]>>4], digits[s[i]&15]})
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Plain is the string that a Text was made of.
func Plain(text string) string {
	if strings.IndexByte(text, escape) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == escape && i+2 < len(text) {
			high, low := strings.IndexByte(digits, text[i+1]), strings.IndexByte(digits, text[i+2])
			if high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low)) //nolint:gosec // two digits
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
