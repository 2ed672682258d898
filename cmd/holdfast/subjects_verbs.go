package main

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

func subjectsPauseCommand(o *operatorOptions) *cobra.Command {
	var verb operator.VerbRequest
	cmd := &cobra.Command{
		Use:   "pause ID",
		Short: "Hold a subject's queue, until a time or until resumed",
		Long: `Hold a subject's queue: no further event of it is started, until --until or until
it is resumed. An event whose handler runs already is finished. It works on a
subject at rest too, and while Temporal is down.`,
		Example: `  holdfast subjects pause redo/r1 --reason "app is being deployed"
  holdfast subjects pause redo/r1 --until 2h --reason "app is being deployed"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.operate(cmd, operator.PathSubjectPause, args[0], verb)
		},
	}
	addVerbFlags(cmd, &verb)
	cmd.Flags().StringVar(&verb.Until, "until", "", "`when` it goes on by itself: a duration such as 2h, or a time such as 2026-01-31T15:04:05Z (default: when resumed)")
	return cmd
}

func subjectsResumeCommand(o *operatorOptions) *cobra.Command {
	var verb operator.VerbRequest
	cmd := &cobra.Command{
		Use:     "resume ID",
		Short:   "End a hold or a wait: try the first event now, with a full retry budget",
		Example: `  holdfast subjects resume redo/r1 --reason "app is back"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.operate(cmd, operator.PathSubjectResume, args[0], verb)
		},
	}
	addVerbFlags(cmd, &verb)
	return cmd
}

func subjectsParkCommand(o *operatorOptions) *cobra.Command {
	var verb operator.VerbRequest
	cmd := &cobra.Command{
		Use:   "park ID --sequence N --reason WHY",
		Short: "Set a pending event aside and go on with the next",
		Long: `Set a pending event of a subject aside, with a reason, and go on with the next.
The sequence is the one you saw: if that event has been settled meanwhile, nothing
else is touched. ` + "`holdfast events replay`" + ` brings a parked event back.`,
		Example: `  holdfast subjects park redo/r1 --sequence 17 --reason "order was deleted"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := parseSequence(fmt.Sprint(verb.Sequence)); err != nil {
				return err
			}
			return o.operate(cmd, operator.PathSubjectPark, args[0], verb)
		},
	}
	addVerbFlags(cmd, &verb)
	cmd.Flags().Int64Var(&verb.Sequence, "sequence", 0, "`sequence` of the event to set aside, as `holdfast subjects show` says")
	cobra.CheckErr(cmd.MarkFlagRequired("sequence"))
	cobra.CheckErr(cmd.MarkFlagRequired("reason"))
	return cmd
}

func addVerbFlags(cmd *cobra.Command, verb *operator.VerbRequest) {
	cmd.Flags().StringVar(&verb.Reason, "reason", "", "`why`, for colleagues and the audit")
	cmd.Flags().StringVar(&verb.By, "by", "", "`who`, for colleagues and the audit (default $USER)")
}

// operate carries out a verb and shows the subject as it is then.
func (o *operatorOptions) operate(cmd *cobra.Command, path, id string, verb operator.VerbRequest) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if verb.By == "" {
		verb.By = userName(o.env)
	}
	var subject operator.SubjectJSON
	if err := client.post(cmd.Context(), path, url.Values{"id": {id}}, verb, &subject); err != nil {
		return aboutSubject(id, err)
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), subject)
	}
	if path == operator.PathSubjectPark {
		fmt.Fprintf(cmd.OutOrStdout(), "Parked event %d; holdfast events replay %[1]d brings it back.\n", verb.Sequence)
	}
	return writeOutcome(cmd.OutOrStdout(), subject, time.Now())
}

// writeOutcome says in one line what a subject does after a verb.
func writeOutcome(w io.Writer, s operator.SubjectJSON, now time.Time) error {
	line := fmt.Sprintf("%s is %s", clean(s.ID), headline(s, now))
	if why := clean(whyOf(s)); s.Held && why != "" {
		line += " (" + why + ")"
	}
	if s.Pending > 0 {
		line += "; " + counted(s.Pending, "event") + " pending"
	}
	_, err := fmt.Fprintln(w, line+".")
	return err
}

// userName is who acts, for the audit: as the shell knows them, if it does.
func userName(env environment) string {
	return env.value("USER", env.value("LOGNAME", "command line"))
}
