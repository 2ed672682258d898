package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/holdfast-project/holdfast/bench"
)

// writeBench prints a report for people.
func writeBench(out io.Writer, r bench.Report) error {
	var b strings.Builder
	w := columns(&b)
	fmt.Fprintln(w, "\tEVENTS\tSECONDS\tA SECOND\tP50\tP90\tP99\tMAX")
	for _, line := range []struct {
		name string
		bench.Speed
	}{{"accepted", r.Accepted}, {"delivered", r.Delivered}} {
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%s\t%s\t%s\t%s\t%s\n", line.name, thousands(line.Events), line.Seconds,
			thousands(int(line.PerSecond+0.5)), took(line.P50), took(line.P90), took(line.P99), took(line.Max))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	b.WriteString("\n")
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("lost", "%d", r.Lost)
	line("out of order", "%d", r.OutOfOrder)
	line("otherwise wrong", "%d", r.Wrong)
	line("duplicates", "%d sent on purpose, %d recognised", r.Duplicates, r.Recognised)
	line("delivered again", "%d", r.Repeated)
	line("sent again", "%d refused, %d without an answer", r.Refused, r.Unanswered)
	line("the bench itself", "%.1f s of CPU", r.CPUSeconds)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\nNote: %s.\n", note)
	}
	b.WriteString("\n" + benchConclusion(r))
	_, err := io.WriteString(out, b.String())
	return err
}

func benchConclusion(r bench.Report) string {
	interrupted := ""
	if r.Interrupted {
		interrupted = ", as far as it came before it was interrupted"
	}
	if r.Passed {
		return "PASSED: nothing lost, nothing out of order" + interrupted + ".\n"
	}
	text := "FAILED: " + strings.Join(r.Problems, ", ") + interrupted + ".\n"
	for _, found := range r.Findings {
		text += fmt.Sprintf("  %s, event %d: %s\n", clean(found.Subject), found.Counter, clean(found.What))
	}
	if more := r.Lost + r.OutOfOrder + r.Wrong - len(r.Findings); more > 0 {
		text += fmt.Sprintf("  and %d more\n", more)
	}
	return text
}

// took prints milliseconds with what is significant of them.
func took(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%s ms", thousands(int(ms+0.5)))
	default:
		return fmt.Sprintf("%.1f ms", ms)
	}
}

// thousands prints a number in groups of three digits.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
