package ingress

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers"
)

// AcceptedJSON is the body of a 200: a receipt for each event of the request, in
// their order.
type AcceptedJSON struct {
	Accepted []ReceiptJSON `json:"accepted"`
}

// ReceiptJSON says where an event is. A duplicate's are those of its first copy.
type ReceiptJSON struct {
	EventID   string `json:"event_id"`
	Sequence  int64  `json:"sequence"`
	Subject   string `json:"subject"`
	Duplicate bool   `json:"duplicate"`
}

// receiptSize is what one receipt takes, about.
const receiptSize = 160

// accepted writes an AcceptedJSON as encoding/json would, in one piece.
func accepted(receipts []inbox.Receipt) providers.Answer {
	b := append(make([]byte, 0, 32+receiptSize*len(receipts)), `{"accepted":[`...)
	for i, r := range receipts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"event_id":`...), r.EventID)
		b = strconv.AppendInt(append(b, `,"sequence":`...), r.Sequence, 10)
		b = appendText(append(b, `,"subject":`...), r.Subject)
		b = strconv.AppendBool(append(b, `,"duplicate":`...), r.Duplicate)
		b = append(b, '}')
	}
	return providers.Answer{Status: http.StatusOK, ContentType: jsonType, Body: append(b, `]}`...)}
}

// appendText appends a text in quotes. What encoding/json would escape is left to it.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			quoted, _ := json.Marshal(text) // a string can always be encoded
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}
