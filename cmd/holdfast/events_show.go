package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

func eventsShowCommand(o *operatorOptions) *cobra.Command {
	var payload bool
	cmd := &cobra.Command{
		Use:   "show SEQUENCE",
		Short: "Show all about one event and what can be done about it",
		Long: `Show all about one event and what can be done about it. With --payload, write the
body of the request that brought it to the standard output instead, byte for byte.`,
		Example: `  holdfast events show 17
  holdfast events show 17 --payload | jq .`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			sequence, err := parseSequence(args[0])
			if err != nil {
				return err
			}
			client, err := o.client()
			if err != nil {
				return err
			}
			path := operator.PathEvents + "/" + strconv.FormatInt(sequence, 10)
			if payload {
				var body []byte
				if err := client.get(cmd.Context(), path+"/payload", nil, &body); err != nil {
					return err
				}
				_, err := cmd.OutOrStdout().Write(body)
				return err
			}
			var event operator.EventJSON
			if err := client.get(cmd.Context(), path, nil, &event); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), event)
			}
			return writeEvent(cmd.OutOrStdout(), event, time.Now())
		},
	}
	cmd.Flags().BoolVar(&payload, "payload", false, "write the request's body, byte for byte")
	return cmd
}

func parseSequence(s string) (int64, error) {
	sequence, err := strconv.ParseInt(s, 10, 64)
	if err != nil || sequence < 1 {
		return 0, fmt.Errorf("%q is not the sequence of an event: a number such as 17, from `holdfast events list`", s)
	}
	return sequence, nil
}

// writeEvent describes one event.
func writeEvent(w io.Writer, e operator.EventJSON, now time.Time) error {
	fmt.Fprintf(w, "Event %d: %s, %s\n\n", e.Sequence, orDash(clean(e.Type)), clean(e.Status))
	lines := columns(w)
	line := func(name, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(lines, "  %s\t%s\n", name, clean(value))
		}
	}
	line("subject", e.Subject)
	line("reason", e.Reason)
	line("attempts", strconv.Itoa(e.Attempts))
	line("handler", e.Handler)
	line("received", moment(e.ReceivedAt.Time, now))
	line("happened", moment(e.At.Time, now))
	line("settled", moment(e.SettledAt.Time, now))
	line("settled by", settledBy(e))
	if e.ReplayOf != nil {
		line("replay of", strconv.FormatInt(*e.ReplayOf, 10))
	}
	if e.Redo > 0 {
		line("done again", counted(e.Redo, "time")+", after a reset in Temporal")
	}
	if e.Staging {
		line("staging", "yes: not tried again, never held")
	}
	line("also about", strings.Join(e.Related, ", "))
	line("source", e.Source+" (provider "+e.Provider+")")
	line("event id", e.EventID)
	line("key", e.Key)
	if err := lines.Flush(); err != nil {
		return err
	}
	writeSteps(w, eventSteps(e))
	return nil
}

// settledBy is the way that an event went: the run that settled it, which the Temporal
// UI can open, or the relief lane; empty: neither.
func settledBy(e operator.EventJSON) string {
	if inbox.IsRelief(e.Run) {
		return "relief lane"
	}
	return e.Run
}

// eventSteps are what can be done about an event.
func eventSteps(e operator.EventJSON) []step {
	look := step{fmt.Sprintf("holdfast events show %d --payload", e.Sequence), "see what came in"}
	replay := step{fmt.Sprintf("holdfast events replay %d", e.Sequence), "handle it again, as a new event at the end of its subject's queue"}
	switch inbox.Status(e.Status) {
	case inbox.StatusPending:
		return []step{{"holdfast subjects show " + quoted(e.Subject), "see what its subject is doing"}, look}
	case inbox.StatusQuarantined:
		return []step{look}
	default:
		return []step{replay, look}
	}
}
