package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/bench/sending"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// send is one run of the command.
type send struct {
	*globals
	source  sendSource
	url     string
	file    string
	count   int
	options samples.Options
}

func sendCommand(g *globals) *cobra.Command {
	s := &send{globals: g}
	names := providerNames()
	cmd := &cobra.Command{
		Use:   "send PROVIDER",
		Short: "Send correctly signed sample webhooks, as a provider would",
		Long: `Send correctly signed sample webhooks, one after the other, and print what became
of each event. The providers are ` + strings.Join(names, ", ") + `.

Each run makes new events; those of one run differ, and come in the order of their
time. What a webhook is signed with comes from --secret, else from the settings of
the source in the environment (HOLDFAST_SOURCE_<NAME>_...), else from what
` + "`holdfast dev`" + ` made up and keeps in its data folder.`,
		Example: `  holdfast send redo
  holdfast send redo --count 5 --subject r1
  holdfast send redeam --source sandbox --type booking.updated
  holdfast send redox --file recorded.json --url https://hooks.example.com`,
		Args:      func(_ *cobra.Command, args []string) error { return namedProvider(args, "send") },
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			s.source.provider = args[0]
			return s.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.source.name, "source", "", "`name` of the source (default: the provider's)")
	flags.StringVar(&s.url, "url", "", "`URL` of the ingress, or of a load balancer before it (default http://127.0.0.1:8080, with HOLDFAST_LISTEN's port); with a path, that of the source")
	flags.StringVar(&s.file, "file", "", "send this `file` as the body, as it is but for a signature in it; - is the standard input")
	flags.StringVar(&s.options.Type, "type", "", "`type` of the events; a wrong one lists those there are")
	flags.StringVar(&s.options.Subject, "subject", "", "the provider's own `id` of the subject, without the source")
	flags.IntVar(&s.count, "count", 1, "`number` of webhooks")
	flags.StringVar(&s.options.Secret, "secret", "", "`secret` to sign with; other users of this machine can see it here, but not in the environment")
	return cmd
}

func (s *send) run(cmd *cobra.Command) error {
	if s.count < 1 {
		return fmt.Errorf("--count must be at least 1, not %d", s.count)
	}
	if err := s.prepare(cmd.InOrStdin()); err != nil {
		return err
	}
	client := sending.New(1, time.Minute)
	defer client.Close()
	subject := ""
	for n := range s.count {
		s.options.N = n
		sample, err := samples.Make(s.source.provider, s.options)
		if err != nil {
			return err
		}
		answer := client.Send(cmd.Context(), s.url, sample)
		if err := s.source.refusal(s.url, answer); err != nil {
			return err
		}
		if err := writeAnswer(cmd.OutOrStdout(), answer); err != nil {
			return err
		}
		subject = ""
		if last := len(answer.Receipts) - 1; last >= 0 {
			subject = answer.Receipts[last].Subject
		}
	}
	if subject != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "\nSee what became of it: holdfast events list --subject %s\n", quoted(subject))
	}
	return nil
}

// prepare completes what the flags did not say.
func (s *send) prepare(stdin io.Reader) error {
	kept, err := readDevEnv(s.dataDir)
	if err != nil {
		return err
	}
	env := s.env.or(kept)
	s.source.name = cmp.Or(s.source.name, s.source.provider)
	if s.url, err = s.source.url(env, s.url); err != nil {
		return err
	}
	if s.file != "" {
		if s.options.Body, err = readBody(s.file, stdin); err != nil {
			return err
		}
	}
	s.options.At = time.Now()
	s.options, err = s.source.sign(env, s.dataDir, s.options)
	return err
}

func readBody(file string, stdin io.Reader) (body []byte, err error) {
	if file == "-" {
		body, err = io.ReadAll(stdin)
	} else {
		body, err = os.ReadFile(file) //nolint:gosec // the file is the user's own choice
	}
	if err != nil {
		return nil, fmt.Errorf("read the body to send: %w", err)
	}
	if len(body) == 0 {
		return nil, fmt.Errorf("read the body to send: %s is empty", file)
	}
	return body, nil
}
