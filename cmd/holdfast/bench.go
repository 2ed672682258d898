package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/bench"
)

// benchmark is one run of holdfast bench.
type benchmark struct {
	*globals
	source  sendSource
	urls    []string
	output  string
	flags   benchFlags
	options bench.Options
}

func benchCommand(g *globals) *cobra.Command {
	b := &benchmark{globals: g}
	cmd := &cobra.Command{
		Use:   "bench [PROVIDER]",
		Short: "Measure a running Holdfast: load, latency, loss and order",
		Long: `Measures a running Holdfast from both of its ends: sends signed webhooks to it, as
holdfast send does, and is the destination that it delivers them to. Prints how fast
they were accepted and delivered and how long that took, and judges whether any was
lost or out of order; if so, the exit status is not 0. The provider is redo unless
another is named.

Not for production. It makes thousands of events, which stay in the inbox like any
others, and a real destination would get them if that is where they are routed.
So the worker must have this route, before any other that matches the source:

  HOLDFAST_ROUTES='redo/*=http://127.0.0.1:9099/'

(127.0.0.1:9099 is --listen.) One event is sent through each --url first, and nothing
more unless it comes back. A real event that is routed to the bench is refused with a
503, and so kept.

The workloads, which the flags change:
` + describeWorkloads(),
		Example: `  HOLDFAST_ROUTES='*=http://127.0.0.1:9099/' holdfast dev     # in another terminal
  holdfast bench
  holdfast bench --workload calm
  holdfast bench --events 50000 --subjects 1000 --duplicates 0.05 --delay 5ms
  holdfast bench redox --source clinic --url http://a:8080,http://b:8080 --listen :9099
  holdfast bench --workload cold --duration 1m --rate 100 -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return namedProvider(args, "bench")
		},
		ValidArgs: providerNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			b.source.provider = cmp.Or(append(args, "redo")...)
			return b.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&b.urls, "url", nil, "`URL` of the ingress, or several, which take turns (default http://127.0.0.1:8080, with HOLDFAST_LISTEN's port); with a path, that of the source")
	flags.StringVar(&b.source.name, "source", "", "`name` of the source (default: the provider's)")
	flags.StringVar(&b.options.Signing.Secret, "secret", "", "`secret` to sign with (default: as holdfast send finds it); other users of this machine can see it here, but not in the environment")
	flags.StringVar(&b.options.Listen, "listen", "127.0.0.1:9099", "`address` to receive deliveries on")
	flags.DurationVar(&b.options.FirstPatience, "patience", 15*time.Second, "`time` that the first event has to come back")
	flags.DurationVar(&b.options.GiveUp, "give-up", time.Minute, "`time` without any delivery after which what is missing is lost, or with refusals alone after which sending ends")
	flags.StringVarP(&b.output, "output", "o", "table", "`form` of the output: table or json")
	b.flags.add(cmd)
	return cmd
}

// errBenchFailed means that the report, which has been printed, is bad.
var errBenchFailed = errors.New("the bench failed")

func (b *benchmark) run(cmd *cobra.Command) error {
	if err := b.prepare(cmd); err != nil {
		return err
	}
	running, err := bench.Open(cmd.Context(), b.options)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", b.options.Listen, err)
	}
	report, err := b.measure(cmd, running)
	if err = errors.Join(err, running.Close()); err != nil {
		return err
	}
	write := writeBench
	if b.output == "json" {
		write = func(w io.Writer, r bench.Report) error { return writeJSON(w, r) }
	}
	if err := write(cmd.OutOrStdout(), report); err != nil {
		return err
	}
	switch {
	case !report.Passed:
		return fmt.Errorf("%w: %s", errBenchFailed, strings.Join(report.Problems, ", "))
	default:
		return cmd.Context().Err() // an interrupted run is told from a whole one
	}
}

// prepare completes what the flags did not say, and reports all that is wrong with them.
func (b *benchmark) prepare(cmd *cobra.Command) error {
	workload, err := b.flags.workload(cmd)
	problems := []error{err}
	b.options.Workload = workload
	if b.output != "table" && b.output != "json" {
		problems = append(problems, fmt.Errorf("--output must be table or json, not %q", b.output))
	}
	for name, d := range map[string]time.Duration{"patience": b.options.FirstPatience, "give-up": b.options.GiveUp} {
		if d <= 0 {
			problems = append(problems, fmt.Errorf("--%s must be a positive duration, such as 30s, not %s", name, d))
		}
	}
	if _, _, err := net.SplitHostPort(b.options.Listen); err != nil {
		problems = append(problems, fmt.Errorf("--listen must be host:port or :port, such as 127.0.0.1:9099, not %q", b.options.Listen))
	}
	kept, err := readDevEnv(b.dataDir)
	problems = append(problems, err)
	env := b.env.or(kept)
	b.options.Provider = b.source.provider
	b.source.name = cmp.Or(b.source.name, b.source.provider)
	if len(b.urls) == 0 {
		b.urls = []string{""}
	}
	for _, address := range b.urls {
		target, err := b.source.url(env, address)
		problems = append(problems, err)
		b.options.URLs = append(b.options.URLs, target)
	}
	b.options.Signing, err = b.source.sign(env, b.dataDir, b.options.Signing)
	return allProblems(append(problems, err)...)
}

// measure runs the bench, and says on the way what happens.
func (b *benchmark) measure(cmd *cobra.Command, running *bench.Bench) (bench.Report, error) {
	told := cmd.ErrOrStderr()
	fmt.Fprintf(told, "%s, to %s\n", describeWorkload(b.options.Workload), strings.Join(b.options.URLs, ", "))
	fmt.Fprintf(told, "waiting for deliveries on %s, where %s leads\n", b.destination(running), b.route(running))
	if err := running.Probe(cmd.Context()); err != nil {
		return bench.Report{}, b.explain(err, running)
	}
	bar := newProgressBar(told)
	report := running.Run(cmd.Context(), bar.watcher())
	bar.clear()
	return report, nil
}

// destination is the URL that the worker must be routed to.
func (b *benchmark) destination(running *bench.Bench) string {
	host, port, err := net.SplitHostPort(running.Address().String())
	if err != nil {
		return "http://" + running.Address().String() + "/"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		// Whoever listens to all wants to be reached from elsewhere.
		if host, err = os.Hostname(); err != nil {
			host = "127.0.0.1"
		}
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/"}
	return u.String()
}

// route is the setting that the worker needs, to be copied.
func (b *benchmark) route(running *bench.Bench) string {
	return fmt.Sprintf("HOLDFAST_ROUTES='%s/*=%s'", b.source.name, b.destination(running))
}

// explain says what to do about a first event that did not come back.
func (b *benchmark) explain(err error, running *bench.Bench) error {
	var refused *bench.NotAcceptedError
	if errors.As(err, &refused) {
		return b.source.refusal(refused.URL, refused.Last)
	}
	var astray *bench.NotDeliveredError
	if !errors.As(err, &astray) {
		return err
	}
	if astray.Sequence == 0 {
		return fmt.Errorf("%s answers, but not as Holdfast's ingress does: is that its address? --url says where it is", astray.URL)
	}
	text := fmt.Sprintf(`%s accepted an event, but within %s it was not delivered to %s. No more were sent.
Start the worker with this setting, in which the route comes before any other that matches:

  %s

If it has that, is this machine called otherwise there, or is the worker not running, or slow (--patience)?
What became of the event: holdfast events show %d`,
		astray.URL, b.options.FirstPatience, b.destination(running), b.route(running), astray.Sequence)
	if astray.Foreign > 0 {
		text += fmt.Sprintf("\nOther events came, which no bench sent, and were refused (%d): real traffic is routed here.", astray.Foreign)
	}
	return errors.New(text)
}
