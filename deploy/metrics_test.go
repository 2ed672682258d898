package deploy_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// described is a registry that notes which metrics are registered, with their labels:
// one without a value yet is in no answer of /metrics.
type described struct {
	prometheus.Registerer
	labels map[string][]string
}

// description is how a metric describes itself.
var description = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

func (d *described) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		described := make(chan *prometheus.Desc, 1000)
		c.Describe(described)
		close(described)
		for one := range described {
			match := description.FindStringSubmatch(one.String())
			d.labels[match[1]] = strings.FieldsFunc(match[2], func(r rune) bool { return r == ',' })
		}
	}
}

// exported returns the metrics that a real process answers with, by name; those with
// labels only where they have a value yet.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	env := onThisMachine(t, environment{
		"HOLDFAST_INBOX": "sqlite:" + filepath.Join(t.TempDir(), "inbox.db"), "HOLDFAST_OPERATOR_LISTEN": "", "HOLDFAST_LISTEN": "",
		"HOLDFAST_SOURCES": "redo", "HOLDFAST_SOURCE_REDO_SECRET_FILE": "", "HOLDFAST_ROUTES": "*/*=log:", "TEMPORAL_ADDRESS": "",
	})
	log, err := start(t, "all", env, func(started string) {
		var line struct{ Operator string }
		require.NoError(t, json.Unmarshal([]byte(started), &line))
		answer, err := http.Get(line.Operator + "/metrics")
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		for _, match := range sample.FindAllStringSubmatch(string(text), -1) {
			labels := []string{}
			for _, label := range labelled.FindAllStringSubmatch(match[2], -1) {
				labels = append(labels, label[1])
			}
			found[match[1]] = labels
		}
	})
	require.NoError(t, err, log)
	require.Contains(t, found, "holdfast_rings_total", "a real process counts rings")
	return found
}

// sample is a line of /metrics without a histogram's parts, which its description
// covers; labelled is a label in it.
var (
	sample   = regexp.MustCompile(`(?m)^([a-z_]+?)(?:\{([^}]*)\})? [0-9.e+-]+$`)
	labelled = regexp.MustCompile(`([a-z_]+)="`)
	part     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// registered returns the metrics that ingresses and workers have, by name.
func registered(t *testing.T) map[string][]string {
	t.Helper()
	registry := &described{labels: map[string][]string{}}
	log := slog.New(slog.DiscardHandler)
	ingress.New(ingress.Options{Log: log, Registry: registry})
	ringer := doorbell.NewRinger(doorbell.Options{Log: log, Registry: registry})
	t.Cleanup(func() { require.NoError(t, ringer.Close(t.Context())) })
	doorbell.NewSweeper(doorbell.SweeperOptions{Log: log, Registry: registry})
	activities.New(nil, nil, activities.Config{DestinationConcurrency: 1}, registry, log)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	all := registry.labels
	for name, labels := range exported(t) {
		if _, ok := all[part.ReplaceAllString(name, "")]; !ok {
			all[name] = labels
		}
	}
	return all
}

// expressions returns the queries of the dashboard and of the alerts, by their title.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	var dashboard struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "deploy/grafana/dashboards/holdfast.json")), &dashboard))
	for _, panel := range dashboard.Panels {
		for i, target := range panel.Targets {
			require.NotEmpty(t, panel.Description, panel.Title)
			all[panel.Title+" "+string(rune('A'+i))] = target.Expr
		}
	}
	require.Greater(t, len(all), 15)
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      struct{ Severity string }
				Annotations struct{ Summary, Description string }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/prometheus/rules.yml")), &rules))
	for _, rule := range rules.Groups[0].Rules {
		require.Contains(t, []string{"page", "ticket"}, rule.Labels.Severity, rule.Alert)
		require.NotEmpty(t, rule.Annotations.Summary, rule.Alert)
		require.NotEmpty(t, rule.Annotations.Description, rule.Alert)
		all[rule.Alert] = rule.Expr
	}
	return all
}

var (
	quoted   = regexp.MustCompile(`"[^"]*"`)
	metric   = regexp.MustCompile(`\b(holdfast|go|process)_[a-z_]+\b`)
	grouping = regexp.MustCompile(`\b(?:by|without) \(([^)]*)\)`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!=|!~|=)`)
	braces   = regexp.MustCompile(`\{([^}]*)\}`)
	// What Prometheus itself adds to each series.
	added = []string{"job", "instance", "le"}
)

func TestDashboardAndAlertsNameWhatIsExported(t *testing.T) {
	t.Parallel()
	known := registered(t)
	used := map[string]bool{}
	for title, expression := range expressions(t) {
		text := quoted.ReplaceAllString(expression, `""`)
		names := metric.FindAllString(text, -1)
		if len(names) == 0 {
			require.Regexp(t, `\bup\{`, text, "%s asks for nothing of ours", title)
		}
		labels := slices.Clone(added)
		for _, name := range names {
			base := part.ReplaceAllString(name, "")
			if _, ok := known[name]; ok {
				base = name
			}
			require.Contains(t, known, base, title)
			labels = append(labels, known[base]...)
			used[base] = true
		}
		var asked []string
		for _, list := range grouping.FindAllStringSubmatch(text, -1) {
			asked = append(asked, strings.Split(strings.ReplaceAll(list[1], " ", ""), ",")...)
		}
		for _, list := range braces.FindAllStringSubmatch(text, -1) {
			for _, match := range matcher.FindAllStringSubmatch(list[1], -1) {
				asked = append(asked, match[1])
			}
		}
		require.Subset(t, labels, asked, "%s: %s", title, expression)
	}
	for name := range known {
		if strings.HasPrefix(name, "holdfast_") {
			require.True(t, used[name], "%s is exported, and neither dashboard nor alerts look at it", name)
		}
	}
}
