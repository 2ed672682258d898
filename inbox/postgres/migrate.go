package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox/internal/migration"
)

//go:embed migrations/*.sql
var embedded embed.FS

var migrations = migration.MustSub(embedded, "migrations")

const (
	// migrationLock is the advisory lock of whoever migrates; any number would do.
	migrationLock = 0x686f6c6466617374 // "holdfast"
	// migrationPatience is how long another process may take to migrate.
	migrationPatience = "60s"
	// migrationTimeout bounds one statement of a migration.
	migrationTimeout = "15min"
	// migratingConnectTimeout: whoever runs a migration by hand would rather wait.
	migratingConnectTimeout = 10 * time.Second
)

// schemaError says what a person must do about a schema.
type schemaError struct {
	message string
	old     bool // a migration mends it
}

func (e *schemaError) Error() string { return e.message }

// Migrate brings the schema of the database at url up to date and returns its
// versions before and after; 0 is a database without one. Any number of processes
// may do it at once. It changes everything or nothing.
func Migrate(ctx context.Context, url string) (from, to int, err error) {
	config, err := parseURL(url)
	if err != nil {
		return 0, 0, fmt.Errorf("migrate the inbox: %w", err)
	}
	c := config.ConnConfig
	c.ConnectTimeout = max(c.ConnectTimeout, migratingConnectTimeout)
	if from, to, err = migrate(ctx, c, migrations); err != nil {
		return 0, 0, fmt.Errorf("migrate the inbox, %s: %w", place(c), advise(err))
	}
	return from, to, nil
}

func migrate(ctx context.Context, config *pgx.ConnConfig, files fs.FS) (from, to int, err error) {
	steps, err := readSteps(files)
	if err != nil {
		return 0, 0, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return 0, 0, reasonOf(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if from, err = version(ctx, conn, steps); err != nil || from >= len(steps) {
		return from, from, err
	}
	t, err := conn.Begin(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }()
	_, err = t.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = '%s'; SET LOCAL statement_timeout = '%s'; SELECT pg_advisory_xact_lock(%d)",
		migrationPatience, migrationTimeout, migrationLock))
	if err != nil {
		return 0, 0, fmt.Errorf("wait for another process that migrates: %w", err)
	}
	if from, err = version(ctx, conn, steps); err != nil || from >= len(steps) {
		return from, from, err
	}
	if err := apply(ctx, t, steps[from:]); err != nil {
		return 0, 0, err
	}
	return from, len(steps), t.Commit(ctx)
}

func apply(ctx context.Context, t pgx.Tx, steps []step) error {
	_, err := t.Exec(ctx, `CREATE TABLE IF NOT EXISTS migrations (
		version integer PRIMARY KEY, name text NOT NULL, needs integer NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if _, err := t.Exec(ctx, s.SQL); err != nil {
			return fmt.Errorf("migration %s: %w", s.Name, err)
		}
		_, err := t.Exec(ctx, "INSERT INTO migrations (version, name, needs) VALUES ($1, $2, $3)", s.Version, s.Name, s.needs)
		if err != nil {
			return fmt.Errorf("migration %s: %w", s.Name, err)
		}
	}
	return nil
}

// version returns the version of a schema, 0 if there is none. It refuses one that
// needs a newer holdfast, and a database that cannot store every text.
func version(ctx context.Context, conn *pgx.Conn, steps []step) (have int, err error) {
	var encoding string
	var there bool
	// The catalog itself is read: a name is looked up in a cache, and what another
	// process made while this one waited for its turn may not be there yet.
	err = conn.QueryRow(ctx, `SELECT current_setting('server_encoding'), EXISTS (
		SELECT 1 FROM pg_class WHERE relname = 'migrations' AND relkind = 'r' AND pg_table_is_visible(oid))`).Scan(&encoding, &there)
	switch {
	case err != nil:
		return 0, err
	case encoding != "UTF8":
		return 0, &schemaError{message: fmt.Sprintf("the database's encoding is %s: make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0", encoding)}
	case !there:
		return 0, nil
	}
	var needs int
	err = conn.QueryRow(ctx, "SELECT coalesce(max(version), 0), coalesce(max(needs), 0) FROM migrations").Scan(&have, &needs)
	if err == nil && needs > len(steps) {
		err = &schemaError{message: fmt.Sprintf("its schema is version %d and needs a holdfast that knows version %d, this one knows %d: "+
			"start the newer holdfast", have, needs, len(steps))}
	}
	return have, err
}

// checkSchema refuses a schema that is not there or too old.
func checkSchema(ctx context.Context, conn *pgx.Conn) error {
	steps, err := readSteps(migrations)
	if err != nil {
		return err
	}
	have, err := version(ctx, conn, steps)
	if err == nil && have < len(steps) {
		err = &schemaError{old: true, message: fmt.Sprintf("its schema is version %d and this holdfast needs %d: "+
			"run `holdfast migrate`, or set HOLDFAST_MIGRATE=true", have, len(steps))}
	}
	return err
}

// step is a migration whose first line says what it needs: "-- needs: 1".
type step struct {
	migration.Step
	needs int // the version that a holdfast must know to run on a schema with it
}

func readSteps(files fs.FS) ([]step, error) {
	all, err := migration.Read(files)
	if err != nil {
		return nil, err
	}
	steps := make([]step, len(all))
	for i, s := range all {
		steps[i].Step = s
		_, err := fmt.Sscanf(s.SQL, "-- needs: %d\n", &steps[i].needs)
		if err != nil || steps[i].needs < 1 || steps[i].needs > s.Version {
			return nil, fmt.Errorf("migration %s: its first line should be \"-- needs: \" and a version up to %d", s.Name, s.Version)
		}
	}
	return steps, nil
}
