package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/holdfast-project/holdfast/inbox/internal/migration"
)

//go:embed migrations/*.sql
var embedded embed.FS

var migrations = migration.MustSub(embedded, "migrations")

// migrate applies the migrations that a database has not seen, each in a
// transaction of its own. It refuses a database that has seen one it does not know.
func migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	steps, err := migration.Read(files)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)`)
	if err != nil {
		return err
	}
	var have int
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM migrations").Scan(&have); err != nil {
		return err
	}
	newest := steps[len(steps)-1].Version
	if have > newest {
		return fmt.Errorf("its schema is version %d and this holdfast knows only %d: "+
			"start the newer holdfast that made it, or restore a backup from before", have, newest)
	}
	for _, step := range steps {
		if step.Version <= have {
			continue
		}
		if err := apply(ctx, db, step); err != nil {
			return fmt.Errorf("migration %s: %w", step.Name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, db *sql.DB, step migration.Step) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }()
	if _, err := t.ExecContext(ctx, step.SQL); err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, "INSERT INTO migrations (version, name) VALUES (?, ?)", step.Version, step.Name); err != nil {
		return err
	}
	return t.Commit()
}
