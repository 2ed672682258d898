package deploy_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// script runs a script of deploy/compose with these variables, and returns what it
// said; it must succeed.
func script(t *testing.T, name string, env ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	command := exec.CommandContext(ctx, "sh", filepath.Join(root, "deploy", "compose", name))
	command.Env = append(os.Environ(), env...)
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	return string(output)
}

func TestScriptPreparesTheNamespace(t *testing.T) {
	t.Parallel()
	server := temporaltest.Client(t)
	cli, err := temporaltest.CLI()
	require.NoError(t, err)
	cli, err = filepath.Abs(cli)
	require.NoError(t, err)
	bin := t.TempDir()
	require.NoError(t, os.Symlink(cli, filepath.Join(bin, "temporal")))
	env := []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"TEMPORAL_ADDRESS=" + temporaltest.Address(t), "TEMPORAL_NAMESPACE=fleet",
	}
	// The second time there is nothing to do, and that is no mistake.
	for range 2 {
		require.Contains(t, script(t, "temporal-namespace.sh", env...), "namespace fleet is prepared")
		list, err := server.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: "fleet"})
		require.NoError(t, err)
		for _, name := range []string{"HoldfastSource", "HoldfastState"} {
			require.Equal(t, enums.INDEXED_VALUE_TYPE_KEYWORD, list.CustomAttributes[name], name)
		}
		described, err := server.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "fleet"})
		require.NoError(t, err)
		require.InDelta(t, 72, described.Config.WorkflowExecutionRetentionTtl.AsDuration().Hours(), 0)
	}
}

func TestScriptMakesTheDatabases(t *testing.T) {
	t.Parallel()
	server := postgrestest.New(t, postgrestest.Options{})
	secrets := t.TempDir()
	for _, role := range []string{"holdfast", "temporal"} {
		require.NoError(t, os.WriteFile(filepath.Join(secrets, role+"_db_password"), []byte("of-"+role+"\n"), 0o600))
	}
	super, err := pgx.Connect(t.Context(), server.URL("postgres"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, super.Close(context.Background())) })
	script(t, "postgres-init.sh", "SECRETS_DIR="+secrets, "POSTGRES_USER="+super.Config().User,
		"PGHOST="+super.Config().Host, "PGPORT="+strconv.Itoa(int(super.Config().Port)))

	as := func(role, database string) string {
		config := super.Config()
		return "postgres://" + role + ":of-" + role + "@" + config.Host + ":" + strconv.Itoa(int(config.Port)) + "/" + database + "?sslmode=disable"
	}
	for role, databases := range map[string][]string{"holdfast": {"holdfast"}, "temporal": {"temporal", "temporal_visibility"}} {
		var verifier string
		require.NoError(t, super.QueryRow(t.Context(), "SELECT rolpassword FROM pg_authid WHERE rolname = $1", role).Scan(&verifier))
		require.True(t, strings.HasPrefix(verifier, "SCRAM-SHA-256$"), role)
		for _, database := range databases {
			own, err := pgx.Connect(t.Context(), as(role, database))
			require.NoError(t, err)
			_, err = own.Exec(t.Context(), "CREATE TABLE mine (id int); DROP TABLE mine")
			require.NoError(t, err, "%s in %s", role, database)
			require.NoError(t, own.Close(t.Context()))

			other := map[string]string{"holdfast": "temporal", "temporal": "holdfast"}[role]
			_, err = pgx.Connect(t.Context(), as(other, database))
			require.ErrorContains(t, err, "permission denied", "%s in %s", other, database)
		}
	}
	// What the role may do is enough for the inbox.
	from, to, err := postgres.Migrate(t.Context(), as("holdfast", "holdfast"))
	require.NoError(t, err)
	require.Zero(t, from)
	require.Positive(t, to)
}
