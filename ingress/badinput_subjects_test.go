package ingress_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// oddIDs are JSON values where an id is expected, and whether an event can be
// ordered by them.
var oddIDs = map[string]struct {
	value string
	clear bool
}{
	"Slashes":           {`"a/b//c/"`, true},
	"Traversal":         {`"../../etc/passwd"`, true},
	"Dots":              {`".."`, true},
	"Spaces":            {`"a  b"`, true},
	"SpaceAtTheEnd":     {`"a "`, true},
	"OnlySpaces":        {`"   "`, true},
	"Tab":               {`"a\tb"`, true},
	"NUL":               {`"a\u0000b"`, true},
	"LineFeed":          {`"a\r\nX: y"`, true},
	"Escape":            {`"\u001b[31m"`, true},
	"C1Control":         {`"\u0085"`, true},
	"Delete":            {`"\u007f"`, true},
	"Percent":           {`"100%25%zz%"`, true},
	"Quotes":            {`"'\"` + "`" + `"`, true},
	"SQL":               {`"'; DROP TABLE events; --"`, true},
	"Template":          {`"${jndi:ldap://x}{{7*7}}%s%n"`, true},
	"HTML":              {`"<script>alert(1)</script>"`, true},
	"Query":             {`"?a=b&c=d#e"`, true},
	"Backslashes":       {`"C:\\a\\b"`, true},
	"Cyrillic":          {`"возврат"`, true},
	"Chinese":           {`"退货单"`, true},
	"Arabic":            {`"مرتجع"`, true},
	"Emoji":             {`"👩‍👩‍👧‍👦"`, true},
	"RightToLeft":       {`"a\u202eb\u2066c"`, true},
	"ZeroWidth":         {`"a\u200bb\ufeff"`, true},
	"Combining":         {`"e` + strings.Repeat(`\u0301`, 500) + `"`, true},
	"LoneSurrogate":     {`"a\ud800"`, false},
	"SurrogatesSwapped": {`"\ude00\ud83d"`, false},
	"InvalidUTF8":       {"\"a\xff\"", false},
	"OverlongUTF8":      {"\"\xc0\xaf\"", false},
	"Replacement":       {`"\ufffd"`, false},
	"LooksLikeAHash":    {`"sha256:` + strings.Repeat("0", 64) + `"`, true},
	"LooksLikeAnHMAC":   {`"hmac:` + strings.Repeat("0", 32) + `"`, true},
	"Bytes255":          {`"` + strings.Repeat("x", 255) + `"`, true},
	"Megabyte":          {`"` + strings.Repeat("x", 1<<20) + `"`, true},
	"MegabyteNotASCII":  {`"` + strings.Repeat("ü", 1<<19) + `"`, true},
	"Number":            {"12345678901234567890123", true},
	"Fraction":          {"1.50", true},
	"Exponent":          {"1e400", true},
	"NegativeZero":      {"-0", true},
	"LongNumber":        {strings.Repeat("9", 100_000), true},
	"Empty":             {`""`, false},
	"Null":              {"null", false},
	"True":              {"true", false},
	"List":              {`["a"]`, false},
	"Object":            {`{"id":"a"}`, false},
	"Twice":             {`"a","%s":"b"`, false},
	"TwiceTheSame":      {`"a","%s":"a"`, true},
	"TwiceEscaped":      {`"a","%u":"b"`, false},
	"OtherCase":         {`"a","%c":"b"`, false},
}

// names are what the templates call the id.
var names = map[string]string{"redo": "id", "redox": "ID", "redeam": "productID", "socialboards": "ConversationId"}

// subjectAttacks are genuine events with odd ids.
func subjectAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	var rows []attack
	for dialect, name := range names {
		for odd, id := range oddIDs {
			value := strings.NewReplacer(`"%s"`, `"`+name+`"`, `"%u"`, fmt.Sprintf(`"\u%04x%s"`, name[0], name[1:]), `"%c"`, `"`+strings.ToUpper(name[:1])+strings.ToLower(name[1:])+`"`).Replace(id.value)
			stored := quarantined
			// Redeam's names are case-sensitive, so that another case is another name.
			if id.clear || dialect == "redeam" && odd == "OtherCase" {
				stored = pending
			}
			rows = append(rows, attack{dialect + " " + odd, o.body(t, dialect, o.filled(dialect, value, "1")), []int{200}, stored})
		}
	}
	return rows
}

// A subject is one thing for all: two that differ to their sender never meet.
func TestOddSubjectsStayApart(t *testing.T) {
	t.Parallel()
	o := newOutpost(t)
	var rows []attack
	for odd, id := range oddIDs {
		if id.clear && odd != "TwiceTheSame" {
			rows = append(rows, attack{name: odd, send: o.body(t, "redo", o.filled("redo", id.value, "1"))})
		}
	}
	subjects := map[string]string{}
	for i, answer := range o.throwAll(t, rows) {
		require.Equal(t, []int{200}, answer.statuses)
		subject := answer.receipts()[0].Subject
		require.Empty(t, subjects[subject], "%s is also the subject of %s", subject, rows[i].name)
		subjects[subject] = rows[i].name
	}
}
