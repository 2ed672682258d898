package postgres_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

func TestTenProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	where := postgrestest.Database(t)
	var group errgroup.Group
	for range 10 {
		group.Go(func() error {
			store, err := postgres.Open(t.Context(), where, postgres.Options{Migrate: true, Connections: 4})
			if err != nil {
				return err
			}
			if err := store.Ping(t.Context()); err != nil {
				return err
			}
			return store.Close()
		})
	}
	require.NoError(t, group.Wait())
	waitFor(t, where, "SELECT count(*) = max(version) FROM migrations")
}

func TestMigrateSaysWhatItDid(t *testing.T) {
	t.Parallel()
	where := postgrestest.Database(t)
	from, to, err := postgres.Migrate(t.Context(), where)
	require.NoError(t, err)
	require.Zero(t, from)
	require.Positive(t, to)
	again, still, err := postgres.Migrate(t.Context(), where)
	require.NoError(t, err)
	require.Equal(t, []int{to, to}, []int{again, still})
}

func TestMigrationsAreAllOrNothing(t *testing.T) {
	t.Parallel()
	where := postgrestest.Database(t)
	config, err := pgx.ParseConfig(where)
	require.NoError(t, err)
	files := fstest.MapFS{
		"0001_first.sql":  {Data: []byte("-- needs: 1\nCREATE TABLE things (id int);")},
		"0002_broken.sql": {Data: []byte("-- needs: 1\nCREATE TABLE things (id int);")},
	}
	_, _, err = postgres.MigrateFiles(t.Context(), config, files)
	require.ErrorContains(t, err, "0002_broken.sql")
	waitFor(t, where, "SELECT to_regclass('things') IS NULL AND to_regclass('migrations') IS NULL")

	files["0002_broken.sql"] = &fstest.MapFile{Data: []byte("-- needs: 2\nALTER TABLE things ADD name text;")}
	from, to, err := postgres.MigrateFiles(t.Context(), config, files)
	require.NoError(t, err)
	require.Equal(t, []int{0, 2}, []int{from, to})

	delete(files, "0002_broken.sql") // an older binary
	_, _, err = postgres.MigrateFiles(t.Context(), config, files)
	require.ErrorContains(t, err, "start the newer holdfast", "the newer schema says that it cannot")
	files["0002_other.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE x (id int)")}
	_, _, err = postgres.MigrateFiles(t.Context(), config, files)
	require.ErrorContains(t, err, "-- needs: ")
}

func TestAnOldBinaryRunsOnANewerSchemaThatAllowsIt(t *testing.T) {
	t.Parallel()
	store, where := newStore(t, postgres.Options{})
	_, err := session(t, where).Exec(t.Context(), "INSERT INTO migrations (version, name, needs) VALUES (1000, '1000_expand.sql', 1)")
	require.NoError(t, err)
	require.NoError(t, open(t, where, postgres.Options{}).Ping(t.Context()))
	require.NoError(t, store.Ping(t.Context()))
	_, err = session(t, where).Exec(t.Context(), "UPDATE migrations SET needs = 1000 WHERE version = 1000")
	require.NoError(t, err)
	_, err = postgres.Open(t.Context(), where, postgres.Options{Migrate: true})
	require.ErrorContains(t, err, "version 1000")
	require.ErrorContains(t, err, "start the newer holdfast")
}

// guarded starts a server that asks for passwords, but not the user postgres's.
func guarded(t *testing.T) *postgrestest.Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "holdfast-guarded-") //nolint:usetesting // whose parents only we can reach
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	hba := filepath.Join(dir, "hba")
	require.NoError(t, os.WriteFile(hba, []byte("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"), 0o600))
	return postgrestest.New(t, postgrestest.Options{Dir: dir, Settings: map[string]string{"hba_file": hba}})
}

func TestOpenFailsOnWhatAPersonMustMend(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-und-geheim"
	server := guarded(t)
	require.NoError(t, server.CreateDatabase(t.Context(), "inbox"))
	admin := session(t, server.URL("inbox"))
	_, err := admin.Exec(t.Context(), "CREATE ROLE holdfast LOGIN PASSWORD '"+secret+"'")
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), "CREATE DATABASE latin ENCODING 'SQL_ASCII' TEMPLATE template0")
	require.NoError(t, err)
	as := func(user, password, database string) string {
		u, err := url.Parse(server.URL(database))
		require.NoError(t, err)
		u.User = url.UserPassword(user, password)
		return u.String()
	}
	for name, c := range map[string]struct {
		url     string
		migrate bool
		says    string
	}{
		"NoURL":            {"host=localhost password=" + secret, true, "no PostgreSQL URL"},
		"AnotherURL":       {"mysql://user:" + secret + "@localhost/inbox", true, "no PostgreSQL URL"},
		"ABrokenURL":       {"postgres://user:" + secret + "@localhost:port/inbox", true, "no PostgreSQL URL"},
		"ABrokenSetting":   {"postgres://user:" + secret + "@localhost/inbox?sslmode=" + secret, true, "no PostgreSQL URL"},
		"AWrongPassword":   {as("holdfast", secret+"!", "inbox"), true, "password authentication failed"},
		"AnUnknownUser":    {as("nobody", secret, "inbox"), true, "password authentication failed"},
		"NoSuchDatabase":   {as("holdfast", secret, "elsewhere"), true, `database "elsewhere" does not exist`},
		"NoSchema":         {as("holdfast", secret, "inbox"), false, "holdfast migrate"},
		"NoRightToMigrate": {as("holdfast", secret, "inbox"), true, "as deploy/README.md lists them"},
		"NotUTF8":          {as("postgres", secret, "latin"), true, "ENCODING 'UTF8'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.Open(t.Context(), c.url, postgres.Options{Migrate: c.migrate})
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), secret)
			if strings.HasPrefix(c.says, "no PostgreSQL") {
				return
			}
			require.ErrorContains(t, err, "127.0.0.1", "it says where")
			require.NotContains(t, err.Error(), "\n", "once")
			require.NotContains(t, err.Error(), "tls error", "the server has no TLS, and that is not why")
			if c.migrate {
				_, _, err = postgres.Migrate(t.Context(), c.url)
				require.ErrorContains(t, err, c.says)
				require.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestNothingThatASessionKeepsIsNeeded(t *testing.T) {
	t.Parallel()
	store, where := newStore(t, postgres.Options{})
	for i, disturb := range []string{
		"DISCARD ALL",
		"DEALLOCATE ALL",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
	} {
		if i < 2 {
			require.NoError(t, store.EachConnection(t.Context(), func(conn *pgx.Conn) error {
				_, err := conn.Exec(t.Context(), disturb)
				return err
			}))
			requireWorks(t, store, disturb)
			continue
		}
		_, err := session(t, where).Exec(t.Context(), disturb)
		require.NoError(t, err)
		requireRecovers(t, store, disturb)
	}
	require.NoError(t, store.EachConnection(t.Context(), func(conn *pgx.Conn) error {
		var commit, isolation, idle string
		err := conn.QueryRow(t.Context(), `SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation'),
			current_setting('idle_in_transaction_session_timeout')`).Scan(&commit, &isolation, &idle)
		require.Equal(t, []string{"on", "read committed", "2s"}, []string{commit, isolation, idle})
		return err
	}))
}

// A role's or a database's own settings do not weaken what the store promises.
func TestADatabasesSettingsDoNotWeakenIt(t *testing.T) {
	t.Parallel()
	where := postgrestest.Database(t)
	_, err := session(t, where).Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
		EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database());
		EXECUTE format('ALTER DATABASE %I SET client_encoding = ''LATIN1''', current_database()); END $$`)
	require.NoError(t, err)
	store := open(t, where, postgres.Options{})
	require.NoError(t, store.EachConnection(t.Context(), func(conn *pgx.Conn) error {
		var commit, isolation, encoding string
		err := conn.QueryRow(t.Context(), `SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation'),
			current_setting('client_encoding')`).Scan(&commit, &isolation, &encoding)
		require.Equal(t, []string{"on", "read committed", "UTF8"}, []string{commit, isolation, encoding})
		return err
	}))
	requireWorks(t, store, "k")
}

// What is prepared by name may be gone, or be somebody else's: a pooler gives one
// session to one after the other.
func TestANameOfAStatementMayBeLostOrTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, between []string }{
		"Lost":  {nil, []string{"DEALLOCATE ALL"}},
		"Taken": {postgres.PreparedNames, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, _ := newStore(t, postgres.Options{Connections: 4})
			each := func(statements ...string) {
				t.Helper()
				require.NoError(t, store.EachConnection(t.Context(), func(conn *pgx.Conn) error {
					return conn.PgConn().Exec(t.Context(), strings.Join(statements, ";")).Close()
				}))
			}
			for _, name := range c.before {
				each("PREPARE " + name + " AS SELECT 1")
			}
			everywhere := func(key string) {
				t.Helper()
				var group errgroup.Group
				for i := range 50 { // on every connection
					group.Go(func() error { return works(t, store, fmt.Sprintf("%s-%d", key, i)) })
				}
				require.NoError(t, group.Wait())
			}
			everywhere("before")
			each(c.between...)
			everywhere("after")
		})
	}
}
