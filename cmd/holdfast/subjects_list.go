package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

func subjectsCommand(g *globals) *cobra.Command {
	o := &operatorOptions{globals: g}
	cmd := &cobra.Command{
		Use:     "subjects",
		Aliases: []string{"subject"},
		Short:   "Look at subjects; pause, resume, park",
		Long: `Look at subjects and act on them. A subject is what events are ordered by: its
events are handled one at a time. It is idle, pending, retrying (its first event
failed and will be tried again) or held (its queue stands still until a time or
until an operator acts).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o.addFlags(cmd)
	cmd.AddCommand(
		subjectsListCommand(o),
		subjectsShowCommand(o),
		subjectsPauseCommand(o),
		subjectsResumeCommand(o),
		subjectsParkCommand(o),
	)
	return cmd
}

func subjectsListCommand(o *operatorOptions) *cobra.Command {
	var state, after string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the subjects that are not idle",
		Example: `  holdfast subjects list
  holdfast subjects list --state held`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			if limit < 1 {
				return fmt.Errorf("--limit must be at least 1, not %d", limit)
			}
			client, err := o.client()
			if err != nil {
				return err
			}
			filter := url.Values{}
			if state != "" {
				filter.Set("state", state)
			}
			page, err := listSubjects(cmd.Context(), client, filter, after, limit)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), page)
			}
			if err := writeSubjects(cmd.OutOrStdout(), page.Subjects, state, time.Now()); err != nil {
				return err
			}
			if page.NextAfter != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "There are more: add --after %s\n", quoted(*page.NextAfter))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only in this `state`: pending, retrying or held")
	cmd.Flags().StringVar(&after, "after", "", "only with an `ID` greater than this: the next page")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this `number` of subjects")
	return cmd
}

// writeSubjects prints subjects as a table.
func writeSubjects(w io.Writer, subjects []operator.SubjectJSON, state string, now time.Time) error {
	if len(subjects) == 0 {
		text := "All subjects are idle: nothing is waiting."
		if state != "" {
			text = "No subject is " + clean(state) + "."
		}
		_, err := fmt.Fprintln(w, text)
		return err
	}
	table := columns(w)
	fmt.Fprintln(table, "SUBJECT\tSTATE\tPENDING\tNEXT TRY\tFIRST EVENT\tWHY")
	for _, s := range subjects {
		head := "-"
		if s.Head != nil {
			head = fmt.Sprintf("%d %s", s.Head.Sequence, short(s.Head.Type, 30))
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", clean(s.ID), clean(s.State), s.Pending, nextTry(s, now), head, orDash(short(whyOf(s), 70)))
	}
	return table.Flush()
}

// nextTry says when a subject's first event is handled next.
func nextTry(s operator.SubjectJSON, now time.Time) string {
	switch inbox.State(s.State) {
	case inbox.StateHeld:
		if s.HeldUntil.IsZero() {
			return "when resumed"
		}
		return relative(s.HeldUntil.Time, now)
	case inbox.StateRetrying:
		if !s.NextWake.After(now) {
			return "due or running"
		}
		return relative(s.NextWake.Time, now)
	default:
		return "-"
	}
}

// whyOf says what stands in a subject's way, empty if nothing does.
func whyOf(s operator.SubjectJSON) string {
	if !s.Held {
		return s.LastError
	}
	if s.HeldBy == inbox.HeldByPolicy {
		return s.HeldReason
	}
	if s.HeldReason == "" {
		return "paused by " + s.HeldBy
	}
	return "paused by " + s.HeldBy + ": " + s.HeldReason
}

// join lists words for a help text.
func join[T ~string](words []T) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return strings.Join(list, ", ")
}
