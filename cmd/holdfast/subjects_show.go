package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

func subjectsShowCommand(o *operatorOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show what a subject is doing, why, and what can be done about it",
		Example: "  holdfast subjects show redo/r1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			client, err := o.client()
			if err != nil {
				return err
			}
			var subject operator.SubjectJSON
			if err := client.get(cmd.Context(), operator.PathSubject, url.Values{"id": {args[0]}}, &subject); err != nil {
				return aboutSubject(args[0], err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), subject)
			}
			var history operator.AuditJSON
			if err := client.get(cmd.Context(), operator.PathSubjectAudit, url.Values{"id": {subject.ID}, "limit": {"5"}}, &history); err != nil {
				return err
			}
			return writeSubject(cmd.OutOrStdout(), subject, history.Audit, time.Now())
		},
	}
}

// writeSubject describes one subject, what operators did to it, the newest
// first, and what they can do.
func writeSubject(w io.Writer, s operator.SubjectJSON, audit []operator.AuditEntryJSON, now time.Time) error {
	fmt.Fprintf(w, "%s is %s\n\n", clean(s.ID), headline(s, now))
	lines := columns(w)
	line := func(name, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(lines, "  %s\t%s\n", name, clean(value))
		}
	}
	if s.Held {
		line("held by", s.HeldBy)
		line("why", s.HeldReason)
		line("since", moment(heldSince(s, audit), now))
		if s.HeldUntil.IsZero() {
			line("until", "an operator resumes it")
		}
		line("until", moment(s.HeldUntil.Time, now))
	}
	if s.Pending > 0 {
		line("pending", counted(s.Pending, "event"))
	}
	if s.Head != nil {
		line("first event", fmt.Sprintf("%d, %s, received %s", s.Head.Sequence, s.Head.Type, moment(s.Head.ReceivedAt.Time, now)))
		line("attempts", strconv.Itoa(s.Head.Attempts))
	}
	line("last error", s.LastError)
	line("failed", moment(s.FailedAt.Time, now))
	if !s.Held {
		line("next try", nextAttempt(s, now))
	}
	if s.Name != s.ID {
		line("full id", s.Name)
	}
	if err := lines.Flush(); err != nil {
		return err
	}
	writeSteps(w, subjectSteps(s))
	return writeAudit(w, audit, now)
}

// headline finishes the sentence "it is ...".
func headline(s operator.SubjectJSON, now time.Time) string {
	switch inbox.State(s.State) {
	case inbox.StateHeld:
		if s.HeldUntil.IsZero() {
			return "held until an operator resumes it"
		}
		return "held, next try " + relative(s.HeldUntil.Time, now)
	case inbox.StateRetrying:
		if !s.NextWake.After(now) {
			return "retrying, an attempt is due or running"
		}
		return "retrying, next try " + relative(s.NextWake.Time, now)
	case inbox.StatePending:
		return "pending: its events are about to be handled"
	default:
		return "idle: nothing is waiting"
	}
}

// nextAttempt is when a subject that is not held is tried next; empty if there is
// nothing to wait for.
func nextAttempt(s operator.SubjectJSON, now time.Time) string {
	if s.NextWake.IsZero() || !s.NextWake.After(now) {
		return ""
	}
	return moment(s.NextWake.Time, now)
}

// heldSince is when the hold began: the last failure if the policy holds it,
// else the pause in the audit. Zero: it is not known.
func heldSince(s operator.SubjectJSON, audit []operator.AuditEntryJSON) time.Time {
	if s.HeldBy == inbox.HeldByPolicy {
		return s.FailedAt.Time
	}
	for _, entry := range audit {
		if entry.Verb == inbox.VerbPause {
			return entry.At.Time
		}
	}
	return time.Time{}
}

// subjectSteps are what can be done about a subject.
func subjectSteps(s operator.SubjectJSON) []step {
	id := quoted(s.ID)
	var steps []step
	retrying := inbox.State(s.State) == inbox.StateRetrying
	if s.Held || retrying {
		steps = append(steps, step{"holdfast subjects resume " + id, resumeEffect(s)})
	}
	if s.Head != nil && (s.Held || retrying) {
		steps = append(steps,
			step{
				fmt.Sprintf("holdfast subjects park %s --sequence %d --reason '...'", id, s.Head.Sequence),
				fmt.Sprintf("set event %d aside and go on with the next", s.Head.Sequence),
			},
			step{fmt.Sprintf("holdfast events show %d --payload", s.Head.Sequence), "see what came in"},
		)
	}
	if !s.Held {
		steps = append(steps, step{"holdfast subjects pause " + id + " --until 2h --reason '...'", "handle none of its events until then"})
	}
	return append(steps, step{"holdfast events list --subject " + id, "see all its events"})
}

func resumeEffect(s operator.SubjectJSON) string {
	if s.Head == nil {
		return "let its next events be handled"
	}
	return fmt.Sprintf("try event %d now, with a full retry budget", s.Head.Sequence)
}

func writeAudit(w io.Writer, audit []operator.AuditEntryJSON, now time.Time) error {
	if len(audit) == 0 {
		return nil
	}
	fmt.Fprint(w, "\nWhat operators did, the newest first:\n")
	lines := columns(w)
	for _, entry := range audit {
		what := entry.Verb
		if entry.Sequence != nil {
			what += " " + strconv.FormatInt(*entry.Sequence, 10)
		}
		fmt.Fprintf(lines, "  %s\t%s\t%s\t%s\n", relative(entry.At.Time, now), clean(what), orDash(clean(entry.By)), orDash(clean(entry.Reason)))
	}
	return lines.Flush()
}
