package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

var stateKey = temporal.NewSearchAttributeKeyKeyword(SearchAttributeState)

// show makes a state visible in Temporal: in the search attribute only when that
// changes, and in the current details.
func (s *subject) show(ctx workflow.Context, state string) {
	s.status.State = state
	attribute := ""
	if state == StateRetrying || state == StateHeld {
		attribute = state
	}
	if attribute != s.shown {
		update := stateKey.ValueUnset()
		if attribute != "" {
			update = stateKey.ValueSet(attribute)
		}
		if err := workflow.UpsertTypedSearchAttributes(ctx, update); err != nil {
			workflow.GetLogger(ctx).Error("search attribute not set", "error", err)
		}
		s.shown = attribute
	}
	workflow.SetCurrentDetails(ctx, s.details())
}

// details tells an operator, in Markdown, what is the matter and what to do.
func (s *subject) details() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	switch s.status.State {
	case StateHeld:
		line("### Held")
		line("%s\n", code(s.status.Reason))
		if s.status.Until.IsZero() {
			line("- held by %s until an operator resumes it", code(s.status.By))
		} else {
			line("- held by %s until %s", code(s.status.By), moment(s.status.Until))
		}
		s.aboutHead(line)
		line("- when the cause is gone: `holdfast subjects resume %s`, or send the update `%s`", quoted(s.id), UpdateResume)
		s.aboutPark(line)
	case StateRetrying:
		line("### Retrying")
		if h := s.status.Head; h != nil {
			line("%s\n", code(h.Error))
		}
		s.aboutHead(line)
		line("- the next try is the pending activity's; to try now: `holdfast subjects resume %s`", quoted(s.id))
		s.aboutPark(line)
	case StatePending:
		line("Handling events.")
		if s.status.Reason != "" {
			line("\nWaiting until %s: %s", moment(s.status.Until), code(s.status.Reason))
		}
	default:
		line("Nothing left to do. %d events settled by this run.", s.status.Settled)
	}
	return b.String()
}

func (s *subject) aboutHead(line func(string, ...any)) {
	h := s.status.Head
	if h == nil {
		return
	}
	line("- event: sequence %d, type %s, handler %s, attempts %d", h.Sequence, code(h.Type), code(h.Handler), h.Attempts)
	if !h.FailedAt.IsZero() {
		line("- last failed at %s", moment(h.FailedAt))
	}
}

func (s *subject) aboutPark(line func(string, ...any)) {
	if h := s.status.Head; h != nil {
		line("- to set this event aside and go on: `holdfast subjects park %s --sequence %d --reason '…'`", quoted(s.id), h.Sequence)
	}
}

// summary names a recovery activity in the Temporal UI.
func summary(h *Head) string {
	return oneLine(fmt.Sprintf("event %d, %s", h.Sequence, h.Type))
}

// maxSummary is what Temporal takes of a summary, in bytes.
const maxSummary = 400

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxSummary {
		text = strings.ToValidUTF8(text[:maxSummary], "")
	}
	return text
}

func code(text string) string { return "`" + strings.ReplaceAll(oneLine(text), "`", "'") + "`" }

// quoted makes an argument for a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
