package fleet

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Holdfast is a member that is an ingress or a worker.
type Holdfast struct {
	*Process
	// URL is where an ingress receives webhooks; empty for a worker.
	URL string
	// Operator is the URL of its operator API.
	Operator string
}

// migrate brings the inbox's schema up to date, as a step of its own.
func (f *Fleet) migrate(ctx context.Context) error {
	settings := maps.Clone(f.common)
	settings["HOLDFAST_INBOX"] = f.Postgres.URL(InboxDatabase)
	return tool(ctx, settings, f.options.Programs.Holdfast, "migrate")
}

// ingress makes the n-th ingress, which is not started yet.
func (f *Fleet) ingress(ctx context.Context, n int) (*Holdfast, error) {
	name := "ingress-" + strconv.Itoa(n)
	settings, err := Settings(f.options.Root, "common.env", "ingress.env")
	if err != nil {
		return nil, err
	}
	port, err := f.port(ctx, name)
	if err != nil {
		return nil, err
	}
	maps.Copy(settings, f.options.Secrets)
	settings["HOLDFAST_LISTEN"] = local(port)
	h, err := f.holdfast(ctx, name, "ingress", settings)
	if err != nil {
		return nil, err
	}
	h.URL = "http://" + local(port)
	return h, nil
}

// worker makes a worker of a build, which is not started yet.
func (f *Fleet) worker(ctx context.Context, n int, build string) (*Holdfast, error) {
	name := "worker-" + strconv.Itoa(n)
	settings, err := Settings(f.options.Root, "common.env", "worker.env")
	if err != nil {
		return nil, err
	}
	settings["HOLDFAST_ROUTES"] = f.options.Routes(name)
	settings["HOLDFAST_BUILD_ID"] = build
	return f.holdfast(ctx, name, "worker", settings)
}

// holdfast makes a process of either kind. What a place decides comes last, so that
// it stands before what all places share.
func (f *Fleet) holdfast(ctx context.Context, name, command string, settings map[string]string) (*Holdfast, error) {
	inbox, err := f.through(name, "postgres", f.Postgres.address())
	if err != nil {
		return nil, err
	}
	temporal, err := f.through(name, "temporal", f.TemporalAddress)
	if err != nil {
		return nil, err
	}
	port, err := f.port(ctx, name+"-operator")
	if err != nil {
		return nil, err
	}
	settings["HOLDFAST_INBOX"] = urlAt(InboxDatabase, inbox)
	settings["TEMPORAL_ADDRESS"] = temporal
	settings["HOLDFAST_OPERATOR_LISTEN"] = local(port)
	maps.Copy(settings, f.options.Settings)
	operator := "http://" + local(port)
	return &Holdfast{Operator: operator, Process: f.process(name, spec{
		path: f.options.Programs.Holdfast, args: []string{command}, settings: settings,
		ready: func(ctx context.Context) error { return readyz(ctx, operator) },
	})}, nil
}

// readyTimeout is how long a process may take to tell that it is ready.
const readyTimeout = 2 * time.Second

var probe = &http.Client{Timeout: readyTimeout, Transport: &http.Transport{DisableKeepAlives: true}}

// readyz asks the process whether it is ready for work.
func readyz(ctx context.Context, operator string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, operator+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := probe.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s/readyz says %s", operator, answer.Status)
	}
	return nil
}

// Sources are those that the ingresses have.
func (f *Fleet) Sources() []string {
	settings, err := Settings(f.options.Root, "common.env", "ingress.env")
	if err != nil {
		return nil // the ingresses would not have started
	}
	maps.Copy(settings, f.options.Settings)
	return strings.Split(settings["HOLDFAST_SOURCES"], ",")
}
