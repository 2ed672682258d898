package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

// port is where a member listens. The first ingress has the operator address that
// the holdfast commands look at by themselves.
func port(name string) int {
	return map[string]int{
		"balancer": 8080, "ingress-1": 8091, "ingress-2": 8092,
		"ingress-1-operator": 8081, "ingress-2-operator": 8082, "worker-1-operator": 8083, "worker-2-operator": 8084,
		"postgres": 5433, "temporal": 7233, "temporal-ui": 8233,
	}[name]
}

// greet says where everything is, and what to try.
func greet(out io.Writer, f *fleet.Fleet, dir, dataDir string) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("\nThe fleet is running. Ctrl-C stops it; starting it again continues where it stopped.\n")
	line("webhooks to the load balancer")
	for _, source := range f.Sources() {
		line("  %s/webhooks/%s", f.URL, source)
	}
	line("operator API")
	for _, h := range append(f.Ingresses, f.Workers()...) {
		line("  %-10s %s/api/v1/events", h.Name(), h.Operator)
	}
	line("Temporal\n  %s, UI %s", f.TemporalAddress, f.UI)
	line("inbox\n  %s", f.Postgres.URL(fleet.InboxDatabase))
	line("data and logs\n  %s", dir)
	line("throw-away secrets\n  %s", filepath.Join(dataDir, "dev.env"))
	line("\nTry, in another terminal:\n")
	folder := ""
	if filepath.Clean(dataDir) != "data" {
		folder = " --data-dir " + dataDir
	}
	line("  bin/holdfast send redo --count 5 --subject r1 --url %s%s", f.URL, folder)
	line("  bin/holdfast events list --subject redo/r1")
	if workers := f.Workers(); len(workers) > 0 {
		line("  kill -9 %d    # %s: nothing is lost, and it is started again", workers[0].PID(), workers[0].Name())
	}
	line("\nDeliveries are lines in the workers' logs. To have them posted to a server of yours:")
	line("  make fleet ARGS='--routes *=http://127.0.0.1:3000/hooks'\n")
	_, _ = io.WriteString(out, b.String())
}
