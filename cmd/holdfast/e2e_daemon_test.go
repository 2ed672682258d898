package main

import (
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// daemon is `holdfast all`, or another long-running command, with an inbox and a
// task queue of its own.
type daemon struct {
	*program
	dir string
	at  *address
}

// daemonSettings are short times, so that tests need not wait for long ones.
var daemonSettings = map[string]string{
	"HOLDFAST_LISTEN":          "127.0.0.1:0",
	"HOLDFAST_OPERATOR_LISTEN": "127.0.0.1:0",
	"HOLDFAST_RETRY_INITIAL":   "100ms",
	// The sweeper leaves an attempt alone until it must be over, 10 seconds later.
	"HOLDFAST_DELIVERY_TIMEOUT": "2s",
	"HOLDFAST_SWEEP_INTERVAL":   "500ms",
}

// newDaemon makes one that is not started. Settings stand before our own; an
// empty one is removed. Without TEMPORAL_ADDRESS it uses the package's server.
func newDaemon(t *testing.T, settings map[string]string, args ...string) *daemon {
	t.Helper()
	dir := t.TempDir()
	env := maps.Clone(daemonSettings)
	env["HOLDFAST_INBOX"] = "sqlite:" + filepath.Join(dir, "inbox.db")
	env["HOLDFAST_TASK_QUEUE"] = t.Name()
	if _, given := settings["TEMPORAL_ADDRESS"]; !given {
		env["TEMPORAL_ADDRESS"] = temporaltest.Address(t)
	}
	maps.Copy(env, settings)
	maps.DeleteFunc(env, func(_, value string) bool { return value == "" })
	if len(args) == 0 {
		args = []string{"all"}
	}
	return &daemon{program: newProgram(t, dir, env, args...), dir: dir, at: &address{}}
}

// startDaemon makes one and starts it.
func startDaemon(t *testing.T, settings map[string]string, args ...string) *daemon {
	t.Helper()
	d := newDaemon(t, settings, args...)
	d.start(t)
	return d
}

var (
	webhooksURL = regexp.MustCompile(`(http://[0-9.:]+)/webhooks/`)
	operatorURL = regexp.MustCompile(`"operator":"(http://[0-9.:]+)"|(http://[0-9.:]+)/api/v1/events`)
)

// start returns when it says where it listens.
func (d *daemon) start(t *testing.T) {
	t.Helper()
	d.program.start(t)
	until(t, "the start", func() bool {
		require.False(t, d.over(), "it ended instead:\n%s", d.recent(t))
		printed := d.recent(t)
		webhooks, api := webhooksURL.FindSubmatch(printed), operatorURL.FindSubmatch(printed)
		if d.args[0] == "worker" {
			webhooks = [][]byte{nil, nil} // it has no door
		}
		if webhooks == nil || api == nil {
			return false
		}
		d.at.set(string(webhooks[1]), string(api[1])+string(api[2]))
		return true
	})
}

func (d *daemon) restart(t *testing.T) {
	t.Helper()
	d.kill(t)
	d.start(t)
}

// ask gets from the operator API.
func (d *daemon) ask(t *testing.T, path string, query url.Values, into any) {
	t.Helper()
	require.NoError(t, d.operator(t).get(t.Context(), path, query, into))
}

func (d *daemon) operator(t *testing.T) *operatorClient {
	t.Helper()
	_, base := d.at.get()
	return &operatorClient{base: base, http: quickClient(t)}
}

// events lists what is stored, in sequence order, a thousand at a time.
func (d *daemon) events(t *testing.T, filter ...string) []operator.EventJSON {
	t.Helper()
	query := url.Values{"limit": {"1000"}}
	for i := 0; i < len(filter); i += 2 {
		query.Set(filter[i], filter[i+1])
	}
	var all []operator.EventJSON
	for {
		var page operator.EventsJSON
		d.ask(t, operator.PathEvents, query, &page)
		all = append(all, page.Events...)
		if page.NextAfter == nil {
			return all
		}
		query.Set("after", sequenceText(*page.NextAfter))
	}
}

func (d *daemon) subject(t *testing.T, id string) operator.SubjectJSON {
	t.Helper()
	var subject operator.SubjectJSON
	d.ask(t, operator.PathSubject, url.Values{"id": {id}}, &subject)
	return subject
}

// settled waits until no event is pending.
func (d *daemon) settled(t *testing.T) {
	t.Helper()
	until(t, "every event to be settled", func() bool { return len(d.events(t, "status", "pending")) == 0 })
}

// statuses joins the statuses of a subject's events.
func (d *daemon) statuses(t *testing.T, subject string) string {
	t.Helper()
	var all []string
	for _, e := range d.events(t, "subject", subject) {
		all = append(all, e.Status)
	}
	return strings.Join(all, " ")
}

// quickClient keeps no connection: the process at the other end may be gone.
func quickClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// values makes a query of one parameter.
func values(name, value string) url.Values { return url.Values{name: {value}} }
