package verdict

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// mostFindings keeps a text short; the JSON has them all.
const mostFindings = 10

// Write writes the verdict for people.
func (f Figures) Write(out io.Writer) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("seed", "%d", f.Seed)
	line("load", "%.0f s, %d subjects, %d requests (%d refused, %d without an answer)", f.Seconds, f.Subjects, f.Requests, f.Refused, f.Unanswered)
	line("sent", "%d", f.Sent)
	line("accepted", "%d", f.Accepted)
	line("duplicates", "%d sent on purpose, %d answered as such", f.Duplicates, f.Recognised)
	line("delivered", "%d (%d deliveries)", f.Delivered, f.Deliveries)
	line("lost", "%d", len(f.Lost))
	line("out of order", "%d", len(f.OutOfOrder))
	line("repeated", "%d in flight at a fault, %d late by a frozen worker, %d without an explanation", f.Repeated.InFlight, f.Repeated.Late, len(f.Repeated.Unexplained))
	line("acceptance", "p50 %.1f ms, p99 %.1f ms, max %.0f ms", f.Acceptance.P50, f.Acceptance.P99, f.Acceptance.Max)
	line("done after", "p50 %.0f ms, p99 %.0f ms, max %.0f ms", f.Handling.P50, f.Handling.P99, f.Handling.Max)
	line("longest outage", "%.1f s (%s)", f.Acceptance.Outage, f.Acceptance.During)
	for _, name := range slices.Sorted(maps.Keys(f.Exits)) {
		line("ended by itself", "%s, %d times", name, f.Exits[name])
	}
	fmt.Fprintf(w, "\nfault\tat\tlasted\tlongest outage\taccepted again after\tdelivered again after\tremark\n")
	for _, fault := range f.Faults {
		fmt.Fprintf(w, "%s\t%.0f s\t%.1f s\t%.1f s\t%s\t%s\t%s\n", fault.Name, fault.Began, fault.Lasted, fault.Outage, seconds(fault.Accepted), seconds(fault.Delivered), fault.Note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	b.WriteString("\n" + f.conclusion() + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func (f Figures) conclusion() string {
	if f.Passed {
		return "PASSED: nothing lost, nothing out of order, every repeat explained"
	}
	text := "FAILED: " + strings.Join(f.Problems, ", ")
	for _, list := range [][]Finding{f.Lost, f.OutOfOrder, f.Repeated.Unexplained, f.Wrong} {
		for i, found := range list {
			if i == mostFindings {
				text += fmt.Sprintf("\n  and %d more", len(list)-i)
				break
			}
			text += fmt.Sprintf("\n  %s, event %d: %s", found.Subject, found.Counter, found.What)
		}
	}
	return text
}

func seconds(s float64) string {
	if s < 0 {
		return "never"
	}
	return fmt.Sprintf("%.1f s", s)
}
