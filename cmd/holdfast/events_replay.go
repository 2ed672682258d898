package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

func eventsReplayCommand(o *operatorOptions) *cobra.Command {
	var filter eventFilter
	var r replay
	cmd := &cobra.Command{
		Use:   "replay [SEQUENCE...]",
		Short: "Handle settled events again, as copies at the end of their subjects' queues",
		Long: `Handle settled events again: those of the given sequences, or all that a filter
selects. Each becomes a new event, with a new sequence, at the end of its subject's
queue; the original stays as it is. Pending events are never replayed.

A filter is first resolved to the events it selects now; they are shown, and after
a yes it is those that are replayed and no others.`,
		Example: `  holdfast events replay 17 18
  holdfast events replay --source redo --status parked --from 24h --dry-run
  holdfast events replay --source redo --status parked --from 24h --reason "app fixed"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			now := time.Now()
			query, err := filter.query(now)
			if err != nil {
				return err
			}
			sequences := make([]int64, len(args))
			for i, arg := range args {
				if sequences[i], err = parseSequence(arg); err != nil {
					return err
				}
			}
			if r.client, err = o.client(); err != nil {
				return err
			}
			if r.by == "" {
				r.by = userName(o.env)
			}
			result, err := r.run(cmd, sequences, query, now)
			if asJSON && (err == nil || len(result.Events) > 0) {
				return errors.Join(writeJSON(cmd.OutOrStdout(), result), err)
			}
			if err != nil {
				return err
			}
			return writeReplay(cmd.OutOrStdout(), result, now)
		},
	}
	filter.addFlags(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&r.dryRun, "dry-run", false, "only show what would be replayed")
	flags.BoolVarP(&r.yes, "yes", "y", false, "do not ask before replaying what a filter selects")
	flags.StringVar(&r.reason, "reason", "", "`why`, for the audit")
	flags.StringVar(&r.by, "by", "", "`who`, for the audit (default $USER)")
	return cmd
}

// replay is one run of the command.
type replay struct {
	client      *operatorClient
	dryRun, yes bool
	reason, by  string
}

// run replays the sequences, or what the filter selects after asking.
func (r replay) run(cmd *cobra.Command, sequences []int64, filter url.Values, now time.Time) (operator.ReplayJSON, error) {
	result := operator.ReplayJSON{Events: []operator.EventJSON{}, DryRun: r.dryRun}
	switch {
	case len(sequences) > 0 && len(filter) > 0:
		return result, errors.New("give the sequences of events or a filter, not both")
	case len(sequences) > 0:
		return r.sequences(cmd.Context(), sequences)
	case len(filter) == 0:
		return result, errors.New("say which events: sequences, or a filter such as --subject redo/r1 --status parked")
	}
	selected, err := r.selected(cmd.Context(), filter)
	if err != nil || r.dryRun || len(selected.Events) == 0 {
		return selected, err
	}
	if !r.yes {
		if err := r.confirm(cmd, selected, now); err != nil {
			return result, err
		}
	}
	for _, e := range selected.Events {
		sequences = append(sequences, e.Sequence)
	}
	done, err := r.sequences(cmd.Context(), sequences)
	done.Skipped += selected.Skipped
	return done, err
}

// selected resolves a filter by dry runs, page after page.
func (r replay) selected(ctx context.Context, filter url.Values) (operator.ReplayJSON, error) {
	all := operator.ReplayJSON{Events: []operator.EventJSON{}, DryRun: true}
	request := operator.ReplayRequest{
		Subject: filter.Get("subject"), Source: filter.Get("source"), Status: filter.Get("status"),
		Type: filter.Get("type"), From: filter.Get("from"), To: filter.Get("to"),
		Limit: pageSize, DryRun: true, By: r.by, Reason: r.reason,
	}
	for {
		var page operator.ReplayJSON
		if err := r.client.post(ctx, operator.PathReplay, nil, request, &page); err != nil {
			return all, err
		}
		all.Events = append(all.Events, page.Events...)
		all.Skipped += page.Skipped
		if page.NextAfter == nil {
			return all, nil
		}
		request.After = *page.NextAfter
	}
}

// sequences replays the named events, a page at a time and in their order. On an
// error it returns what was done before.
func (r replay) sequences(ctx context.Context, sequences []int64) (operator.ReplayJSON, error) {
	all := operator.ReplayJSON{Events: []operator.EventJSON{}, DryRun: r.dryRun}
	for len(sequences) > 0 {
		n := min(len(sequences), pageSize)
		request := operator.ReplayRequest{Sequences: sequences[:n], DryRun: r.dryRun, By: r.by, Reason: r.reason}
		var page operator.ReplayJSON
		if err := r.client.post(ctx, operator.PathReplay, nil, request, &page); err != nil {
			if len(all.Events) > 0 {
				err = fmt.Errorf("%s replayed, then from sequence %d on: %w", counted(len(all.Events), "event"), sequences[0], err)
			}
			return all, err
		}
		all.Events = append(all.Events, page.Events...)
		all.Skipped += page.Skipped
		sequences = sequences[n:]
	}
	return all, nil
}

// previewed is how many of the selected events are shown before the question.
const previewed = 10

// confirm shows what was selected and asks, on stderr, so that the output stays
// for the result.
func (r replay) confirm(cmd *cobra.Command, selected operator.ReplayJSON, now time.Time) error {
	w := cmd.ErrOrStderr()
	if err := writeEvents(w, selected.Events[:min(previewed, len(selected.Events))], now); err != nil {
		return err
	}
	if more := len(selected.Events) - previewed; more > 0 {
		fmt.Fprintf(w, "and %d more, up to sequence %d\n", more, selected.Events[len(selected.Events)-1].Sequence)
	}
	fmt.Fprintf(w, "Replay %s? [y/N] ", counted(len(selected.Events), "event"))
	answer, err := readLine(cmd.Context(), cmd.InOrStdin())
	if !strings.HasSuffix(answer, "\n") {
		fmt.Fprintln(w) // nobody pressed Enter: what comes next gets a line of its own
	}
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was replayed (answer y, or use --yes)")
	}
	return nil
}

// readLine reads one line, or returns when the context ends.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(r).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// writeReplay says what was done, or would be.
func writeReplay(w io.Writer, r operator.ReplayJSON, now time.Time) error {
	if len(r.Events) > 0 {
		if err := writeEvents(w, r.Events, now); err != nil {
			return err
		}
	}
	done := "Replayed " + counted(len(r.Events), "event")
	if r.DryRun {
		done = "Would replay " + counted(len(r.Events), "event")
	}
	if len(r.Events) == 0 {
		done = "Nothing to replay"
	}
	if r.Skipped > 0 {
		done += fmt.Sprintf("; %s skipped, because pending or of no known subject", counted(r.Skipped, "event"))
	}
	_, err := fmt.Fprintln(w, done+".")
	return err
}
