package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

// eventFilter are the flags that select events.
type eventFilter struct {
	subject, source, status, kind, from, to string
}

func (f *eventFilter) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.subject, "subject", "", "only of this subject `ID`, such as redo/r1")
	flags.StringVar(&f.source, "source", "", "only of this source `name`")
	flags.StringVar(&f.status, "status", "", fmt.Sprintf("only in this `status`: %s", join(inbox.Statuses())))
	flags.StringVar(&f.kind, "type", "", "only of this `type`, such as return.updated")
	flags.StringVar(&f.from, "from", "", "only received at or after this `time`: RFC 3339, or a duration ago such as 2h")
	flags.StringVar(&f.to, "to", "", "only received before this `time`, in the same forms")
}

// query returns the filter as the operator API reads it, with moments instead of
// durations.
func (f *eventFilter) query(now time.Time) (url.Values, error) {
	from, err := ago("--from", f.from, now)
	if err != nil {
		return nil, err
	}
	to, err := ago("--to", f.to, now)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"subject": f.subject, "source": f.source, "status": f.status, "type": f.kind, "from": from, "to": to,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query, nil
}

// ago turns a flag's moment into RFC 3339; a duration lies in the past.
func ago(flag, value string, now time.Time) (string, error) {
	if value == "" {
		return "", nil
	}
	if d, err := time.ParseDuration(value); err == nil && d >= 0 {
		return now.Add(-d).UTC().Format(time.RFC3339Nano), nil
	}
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return t.UTC().Format(time.RFC3339Nano), nil
	}
	return "", fmt.Errorf("%s must be a time such as 2026-01-31T15:04:05Z, or a duration ago such as 90m or 2h, not %q", flag, value)
}

func eventsCommand(g *globals) *cobra.Command {
	o := &operatorOptions{globals: g}
	cmd := &cobra.Command{
		Use:     "events",
		Aliases: []string{"event"},
		Short:   "Look at events, and replay them",
		Long: `Look at events, and replay them. An event is one verified thing that happened, and
it is pending or has an outcome: delivered, parked, failed (staging sources only)
or quarantined (genuine, but not understood).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o.addFlags(cmd)
	cmd.AddCommand(eventsListCommand(o), eventsShowCommand(o), eventsReplayCommand(o))
	return cmd
}

func eventsListCommand(o *operatorOptions) *cobra.Command {
	var filter eventFilter
	var after, before int64
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the newest events, or those after a sequence",
		Long: `List events in the order of their sequence: the newest --limit of those that match,
or with --after the first ones after a sequence.`,
		Example: `  holdfast events list --subject redo/r1
  holdfast events list --status parked --from 24h
  holdfast events list --before 1042
  holdfast events list --from 2h -o json`,
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
			now := time.Now()
			query, err := filter.query(now)
			if err != nil {
				return err
			}
			for flag, bound := range map[string]int64{"after": after, "before": before} {
				if cmd.Flags().Changed(flag) {
					query.Set(flag, strconv.FormatInt(bound, 10))
				}
			}
			list := listNewest
			if cmd.Flags().Changed("after") {
				list = listEvents
			}
			page, hint, err := list(cmd.Context(), client, query, limit)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), page)
			} else {
				err = writeEvents(cmd.OutOrStdout(), page.Events, now)
			}
			if err == nil && hint != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), hint)
			}
			return err
		},
	}
	filter.addFlags(cmd)
	cmd.Flags().Int64Var(&after, "after", 0, "only with a `sequence` greater than this: the first of them, not the newest")
	cmd.Flags().Int64Var(&before, "before", 0, "only with a `sequence` less than this: the page before")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this `number` of events")
	return cmd
}

// writeEvents prints events as a table. Its last column is long, and there only if a
// run has settled one of them.
func writeEvents(w io.Writer, events []operator.EventJSON, now time.Time) error {
	if len(events) == 0 {
		_, err := fmt.Fprintln(w, "No events match.")
		return err
	}
	table := columns(w)
	by, withRuns := "", slices.ContainsFunc(events, func(e operator.EventJSON) bool { return e.Run != "" })
	if withRuns {
		by = "\tSETTLED BY"
	}
	fmt.Fprintln(table, "SEQUENCE\tSTATUS\tSUBJECT\tTYPE\tRECEIVED\tATTEMPTS\tREASON"+by)
	for _, e := range events {
		if withRuns {
			by = "\t" + orDash(clean(settledBy(e)))
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%d\t%s%s\n", e.Sequence, clean(e.Status), orDash(clean(e.Subject)),
			orDash(short(e.Type, 40)), relative(e.ReceivedAt.Time, now), e.Attempts, orDash(short(reasonOf(e), 60)), by)
	}
	return table.Flush()
}

// reasonOf says why an event is what it is; of a replay, of what.
func reasonOf(e operator.EventJSON) string {
	switch {
	case e.ReplayOf == nil:
		return e.Reason
	case e.Reason == "":
		return "replay of " + strconv.FormatInt(*e.ReplayOf, 10)
	default:
		return e.Reason + " (replay of " + strconv.FormatInt(*e.ReplayOf, 10) + ")"
	}
}
