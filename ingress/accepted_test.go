package ingress_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress"
)

func TestAnAnswerIsWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	texts := []string{
		"", "redo/r1", `a"b\c/d`, "<script>&'", "\x00\x1f\x7f\n\t", "caf\u00e9 \u2028 \U0001f600", "\xff\xfe", "redo/ ~!#$%()*+,-.:;=?@[]^_`{|}",
	}
	for c := range 256 {
		texts = append(texts, "a"+string([]byte{byte(c)})+"b")
	}
	var receipts []inbox.Receipt
	want := ingress.AcceptedJSON{Accepted: []ingress.ReceiptJSON{}}
	for i, text := range texts {
		agree := func(receipts []inbox.Receipt, want ingress.AcceptedJSON) {
			expected, err := json.Marshal(want)
			require.NoError(t, err)
			require.Equal(t, string(expected), string(ingress.Accepted(receipts)))
		}
		agree(receipts, want)
		r := inbox.Receipt{EventID: text, Sequence: []int64{0, 1, -1, math.MaxInt64}[i%4], Subject: text + text, Duplicate: i%2 == 0, Ring: true}
		agree([]inbox.Receipt{r}, ingress.AcceptedJSON{Accepted: []ingress.ReceiptJSON{
			{EventID: r.EventID, Sequence: r.Sequence, Subject: r.Subject, Duplicate: r.Duplicate},
		}})
		receipts = append(receipts, r)
		want.Accepted = append(want.Accepted, ingress.ReceiptJSON{EventID: r.EventID, Sequence: r.Sequence, Subject: r.Subject, Duplicate: r.Duplicate})
	}
}
