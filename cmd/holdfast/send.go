package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// send is one run of the command.
type send struct {
	*globals
	provider, source, url string
	file                  string
	count                 int
	options               samples.Options
}

func sendCommand(g *globals) *cobra.Command {
	s := &send{globals: g}
	var names []string
	for _, d := range providers.Dialects() {
		names = append(names, d.Name)
	}
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
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && slices.Contains(names, args[0]) {
				return nil
			}
			problem := "name one provider"
			if len(args) == 1 {
				problem = fmt.Sprintf("there is no provider %q", args[0])
			}
			return fmt.Errorf("%s: %s; for example: holdfast send redo", problem, strings.Join(names, ", "))
		},
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			s.provider = args[0]
			return s.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.source, "source", "", "`name` of the source (default: the provider's)")
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
	client := &http.Client{
		Timeout: time.Minute,
		// A sender follows no redirect, and its proof is for this address only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	subject := ""
	for n := range s.count {
		s.options.N = n
		sample, err := samples.Make(s.provider, s.options)
		if err != nil {
			return err
		}
		answer, err := s.post(cmd.Context(), client, sample)
		if err != nil {
			return err
		}
		if err := answer.write(cmd.OutOrStdout()); err != nil {
			return err
		}
		subject = answer.subject()
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
	if s.source == "" {
		s.source = s.provider
	}
	if s.url, err = s.sourceURL(env); err != nil {
		return err
	}
	if s.file != "" {
		if s.options.Body, err = readBody(s.file, stdin); err != nil {
			return err
		}
	}
	prefix := ingress.SourceEnv(s.source) + "_"
	var problems []error
	s.options = samples.Fill(s.provider, s.options, func(name string) string {
		value, err := env.setting(prefix+name, "")
		problems = append(problems, err)
		return value
	})
	if err := allProblems(problems...); err != nil {
		return err
	}
	if s.options.Secret == "" {
		return fmt.Errorf("no secret to sign with for source %s: set %s%s, use --secret, or start `holdfast dev` first (it keeps its own in %s)",
			s.source, prefix, samples.SecretSetting(s.provider), s.dataDir)
	}
	s.options.At = time.Now()
	return nil
}

// sourceURL is where the source's webhooks go. A --url without a path names only
// who receives them, such as a load balancer.
func (s *send) sourceURL(env environment) (string, error) {
	address := s.url
	if address == "" {
		listen, err := env.setting("HOLDFAST_LISTEN", ":8080")
		if err != nil {
			return "", err
		}
		_, port, err := net.SplitHostPort(listen)
		if err != nil {
			return "", errors.New("HOLDFAST_LISTEN: must be host:port or :port, such as :8080; or say --url")
		}
		address = "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("--url must look like http://127.0.0.1:8080 or http://127.0.0.1:8080/webhooks/%s", s.source)
	}
	if u.Path == "" || u.Path == "/" {
		u = u.JoinPath("webhooks", s.source)
	}
	return u.String(), nil
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
