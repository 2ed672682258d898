package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// devListen is where a trial receives webhooks: from this machine only.
const devListen = "127.0.0.1:8080"

func devCommand(g *globals) *cobra.Command {
	t := &devTemporal{}
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run everything here: Temporal, ingress and worker in one terminal",
		Long: `Runs the main job on this machine: a Temporal development server as a child that
ends with it, an ingress and a worker over an SQLite inbox. All data is in --data-dir,
so starting again continues where it stopped.

What is not set has a default for trying out: without HOLDFAST_SOURCES every provider
is open, with throw-away secrets that ` + "`holdfast send`" + ` knows; without HOLDFAST_ROUTES
each delivery is a line of log; without HOLDFAST_LISTEN only this machine can send;
with TEMPORAL_ADDRESS no Temporal server is started.`,
		Example: `  holdfast dev
  HOLDFAST_ROUTES='*=http://127.0.0.1:3000/hooks' holdfast dev`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			made, err := devDefaults(g.dataDir)
			if err != nil {
				return err
			}
			return runDev(cmd, g.dataDir, t, made, log)
		},
	}
	c.Flags().IntVar(&t.port, "temporal-port", 7233, "`port` of the Temporal server that is started")
	c.Flags().IntVar(&t.uiPort, "temporal-ui-port", 8233, "`port` of its web UI")
	return c
}

// devDefaults sets what the environment leaves out, and returns the throw-away
// settings among that. They are kept in a file, so that `holdfast send` and the
// next start use the same.
func devDefaults(dataDir string) (made map[string]string, err error) {
	defaults := map[string]string{
		"HOLDFAST_LISTEN": devListen,
		"HOLDFAST_INBOX":  sqliteScheme + filepath.Join(dataDir, "inbox.db"),
		"HOLDFAST_ROUTES": "*=log:",
	}
	if _, set := os.LookupEnv("HOLDFAST_SOURCES"); !set {
		if made, err = throwAway(dataDir); err != nil {
			return nil, err
		}
		var names []string
		for _, d := range providers.Dialects() {
			names = append(names, d.Name)
		}
		defaults["HOLDFAST_SOURCES"] = strings.Join(names, ",")
	}
	for _, settings := range []map[string]string{defaults, made} {
		for name, value := range settings {
			if _, set := os.LookupEnv(name); set {
				delete(made, name)
			} else if err := os.Setenv(name, value); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return made, nil
}

// throwAway returns settings for a source of every dialect: the kept ones, and
// new ones for what they lack.
func throwAway(dataDir string) (map[string]string, error) {
	kept, err := readDevEnv(dataDir)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, d := range providers.Dialects() {
		for name, value := range samples.ThrowAway(d.Name, rand.Text) {
			name = ingress.SourceEnv(d.Name) + "_" + name
			if old, found := kept[name]; found {
				value = old
			}
			settings[name] = value
		}
	}
	maps.Copy(kept, settings)
	return settings, writeDevEnv(dataDir, kept)
}

// keepAddresses notes where this process listens, if that is not where the other
// commands look: they find it by its folder then.
func keepAddresses(dataDir string, env environment) error {
	kept, err := readDevEnv(dataDir)
	if err != nil {
		return err
	}
	before := maps.Clone(kept)
	for _, name := range []string{"HOLDFAST_LISTEN", "HOLDFAST_OPERATOR_LISTEN"} {
		if value := env.value(name, ""); value != "" && value != devListen && !strings.HasSuffix(value, ":0") {
			kept[name] = value
		} else {
			delete(kept, name)
		}
	}
	if maps.Equal(kept, before) {
		return nil
	}
	return writeDevEnv(dataDir, kept)
}

func runDev(cmd *cobra.Command, dataDir string, t *devTemporal, made map[string]string, log *slog.Logger) error {
	ctx := cmd.Context()
	if address := os.Getenv("TEMPORAL_ADDRESS"); address == "" {
		if err := os.Setenv("TEMPORAL_ADDRESS", t.address()); err != nil {
			return err
		}
		t.start = true
	}
	s, err := loadProcess(roles{ingress: true, worker: true}, log)
	if err != nil {
		return err
	}
	s.calm(log)
	return runProcess(ctx, s, log, func(p *process) error {
		// The inbox's lock is held now, so no other holdfast dev uses this folder.
		if err := keepAddresses(dataDir, os.LookupEnv); err != nil {
			return err
		}
		if t.start {
			if err := t.open(dataDir, log); err != nil {
				return err
			}
		}
		go p.greet(ctx, cmd.OutOrStdout(), dataDir, t, made)
		return nil
	}, t.close)
}

// calm says on one line what the warnings of a real start are about: readable
// subjects are what a trial is for.
func (s *processSettings) calm(log *slog.Logger) {
	var names, others []string
	for _, warning := range s.warnings {
		if name, _, _ := strings.Cut(warning, " "); strings.HasSuffix(name, "_SUBJECT_HASH_KEY") {
			names = append(names, name)
		} else {
			others = append(others, warning)
		}
	}
	if s.warnings = others; len(names) == 0 {
		return
	}
	log.Info("fine for a trial; before real data comes, set a key for the subject IDs that are personal data",
		slog.String("settings", strings.Join(names, ",")))
}

// greet prints where everything is, once Temporal is there.
func (p *process) greet(ctx context.Context, out io.Writer, dataDir string, t *devTemporal, made map[string]string) {
	if !t.await(ctx, p) {
		return
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("\nHoldfast is running. Ctrl-C stops it; starting it again continues where it stopped.\n")
	line("webhooks to")
	for _, source := range p.sources {
		line("  %s/webhooks/%s", localURL(p.door.Addr()), source.Name)
	}
	line("operator API\n  %s/api/v1/events", localURL(p.api.Addr()))
	if t.start {
		line("Temporal UI\n  http://127.0.0.1:%d", t.uiPort)
	} else {
		line("Temporal\n  %s", p.temporal.HostPort)
	}
	line("data\n  %s", dataDir)
	if len(made) > 0 {
		line("throw-away settings, kept in %s", filepath.Join(dataDir, devEnvFile))
		for _, name := range slices.Sorted(maps.Keys(made)) {
			line("  %s=%s", name, made[name])
		}
	}
	line("\nTry, in another terminal:\n")
	for _, command := range firstCommands(p.sources, nearby(os.Args[0]), dataDir) {
		line("  %s", command)
	}
	line("")
	_, _ = io.WriteString(out, b.String())
}

// nearby shortens the path of a program that is in the folder we are in.
func nearby(program string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(program) {
		return program
	}
	if short, err := filepath.Rel(here, program); err == nil && filepath.IsLocal(short) {
		return short
	}
	return program
}

// firstCommands are ready to paste: five webhooks, and what became of them. They
// are Redo's if there is such a source, whose subject IDs are the shortest.
func firstCommands(sources []ingress.Source, self, dataDir string) []string {
	source := sources[0]
	if redo := slices.IndexFunc(sources, func(s ingress.Source) bool { return s.Dialect == "redo" }); redo >= 0 {
		source = sources[redo]
	}
	send, list := []string{self, "send", source.Dialect, "--count 5 --subject r1"}, []string{self, "events list"}
	if source.Name != source.Dialect {
		send = append(send, "--source", source.Name)
	}
	if source.Dialect == "redo" && source.Common.SubjectHashKey == "" {
		list = append(list, "--subject", source.Name+"/r1")
	}
	if dataDir != defaultDataDir {
		send, list = append(send, "--data-dir", quoted(dataDir)), append(list, "--data-dir", quoted(dataDir))
	}
	return []string{strings.Join(send, " "), strings.Join(list, " ")}
}
