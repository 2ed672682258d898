package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast-project/holdfast/bench/sending"
)

// writeAnswer prints a line for each event of an accepted webhook.
func writeAnswer(w io.Writer, a sending.Answer) error {
	if len(a.Receipts) == 0 {
		_, err := fmt.Fprintf(w, "%d  %s\n", a.Status, orDash(short(strings.TrimSpace(string(a.Body)), 300)))
		return err
	}
	for _, e := range a.Receipts {
		what := "accepted "
		if e.Duplicate {
			what = "duplicate"
		}
		if _, err := fmt.Fprintf(w, "%d  %s  sequence %-6d  event %s  subject %s\n", a.Status, what, e.Sequence, clean(e.EventID), orDash(clean(e.Subject))); err != nil {
			return err
		}
	}
	return nil
}
