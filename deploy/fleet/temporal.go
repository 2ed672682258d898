package fleet

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"
)

const (
	temporalDatabase   = "temporal"
	visibilityDatabase = "temporal_visibility"
)

//go:embed temporal.yaml
var temporalConfig string

//go:embed temporal_dynamic.yaml
var temporalDynamicConfig []byte

// temporalPorts are the server's listeners. The other services than the frontend
// are for itself only.
type temporalPorts struct {
	Frontend, History, Matching, Worker                                         int
	FrontendMembership, HistoryMembership, MatchingMembership, WorkerMembership int
}

// temporalServer makes the Temporal server's databases, as its operators do with
// the schema tool, and its configuration. The server reaches PostgreSQL at an address
// that may be a proxy's; the schema tool does not go through it.
func (f *Fleet) temporalServer(ctx context.Context) (*Process, error) {
	for _, schema := range []struct{ database, name string }{
		{temporalDatabase, "postgresql/v12/temporal"}, {visibilityDatabase, "postgresql/v12/visibility"},
	} {
		if err := f.temporalSchema(ctx, schema.database, schema.name); err != nil {
			return nil, err
		}
	}
	through, err := f.through("temporal", "postgres", f.Postgres.address())
	if err != nil {
		return nil, err
	}
	config, err := f.temporalFiles(ctx, through)
	if err != nil {
		return nil, err
	}
	return f.process("temporal", spec{
		path:  f.options.Programs.TemporalServer,
		args:  []string{"--config-file", config, "--allow-no-auth", "start"},
		ready: f.temporalReady, before: f.forgetMembers,
	}), nil
}

// temporalSchema makes a database, or updates the one of an older server.
func (f *Fleet) temporalSchema(ctx context.Context, database, schema string) error {
	if err := f.Postgres.create(ctx, database); err != nil {
		return err
	}
	host, port := hostPort(f.Postgres.address())
	run := func(args ...string) error {
		where := []string{"--endpoint", host, "--port", port, "--user", "postgres", "--plugin", "postgres12", "--database", database}
		return tool(ctx, nil, f.options.Programs.TemporalSQLTool, append(where, args...)...)
	}
	// The version tables; they stay as they are if they are there.
	if err := run("setup-schema", "--version", "0.0"); err != nil {
		return err
	}
	return run("update-schema", "--schema-name", schema)
}

// temporalFiles writes the server's configuration and returns its path.
func (f *Fleet) temporalFiles(ctx context.Context, postgres string) (string, error) {
	dir := filepath.Join(f.options.Dir, "temporal")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	dynamic := filepath.Join(dir, "dynamic.yaml")
	if err := os.WriteFile(dynamic, temporalDynamicConfig, 0o600); err != nil {
		return "", err
	}
	ports := temporalPorts{}
	for name, port := range map[string]*int{
		"temporal": &ports.Frontend, "temporal-history": &ports.History, "temporal-matching": &ports.Matching, "temporal-worker": &ports.Worker,
		"temporal-frontend-membership": &ports.FrontendMembership, "temporal-history-membership": &ports.HistoryMembership,
		"temporal-matching-membership": &ports.MatchingMembership, "temporal-worker-membership": &ports.WorkerMembership,
	} {
		var err error
		if *port, err = f.port(ctx, name); err != nil {
			return "", err
		}
	}
	f.TemporalAddress = local(ports.Frontend)
	var b bytes.Buffer
	err := template.Must(template.New("").Parse(temporalConfig)).Execute(&b, map[string]any{
		"Postgres": postgres, "Ports": ports, "Dynamic": dynamic,
		"Default": temporalDatabase, "Visibility": visibilityDatabase,
	})
	if err != nil {
		return "", fmt.Errorf("write the Temporal server's configuration: %w", err)
	}
	path := filepath.Join(dir, "config.yaml")
	return path, os.WriteFile(path, b.Bytes(), 0o600)
}

// forgetMembers empties the list of the cluster's members before a server starts. What
// is there is of the process before: its services, which are together in one, would
// wait for each other to let them in, for up to a minute. In a cluster of several
// servers the others do.
func (f *Fleet) forgetMembers() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, f.Postgres.URL(temporalDatabase))
	if err != nil {
		return // without PostgreSQL the server does not start either
	}
	_, err = conn.Exec(ctx, "DELETE FROM cluster_membership")
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		f.options.Log.Warn("Temporal's members are not forgotten", slog.Any("error", err))
	}
}

// temporalReady asks the server's own health check, and whether its namespace can be
// used: the history service starts after the frontend.
func (f *Fleet) temporalReady(ctx context.Context) error {
	c, err := client.NewLazyClient(client.Options{HostPort: f.TemporalAddress, Logger: quiet{}})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

// quiet drops what the SDK logs: what matters comes back as an error.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
