package sqlite

import (
	"context"
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
func migrate(ctx context.Context, c *conn, files fs.FS) error {
	defer c.raw.SetInterrupt(c.raw.SetInterrupt(ctx))
	steps, err := migration.Read(files)
	if err != nil {
		return err
	}
	err = c.script(`CREATE TABLE IF NOT EXISTS migrations (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)`)
	if err != nil {
		return err
	}
	var have int
	_, err = c.first("SELECT coalesce(max(version), 0) FROM migrations", nil, func(c columns) { have = c.int() })
	if err != nil {
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
		if err := apply(c, step); err != nil {
			return fmt.Errorf("migration %s: %w", step.Name, err)
		}
	}
	return nil
}

func apply(c *conn, step migration.Step) error {
	if err := c.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := c.script(step.SQL)
	if err == nil {
		err = c.exec("INSERT INTO migrations (version, name) VALUES (?, ?)", step.Version, step.Name)
	}
	if err == nil {
		err = c.script("COMMIT")
	}
	if err != nil {
		c.raw.SetInterrupt(context.Background())
		_ = c.script("ROLLBACK")                       // what matters is what failed
		_ = c.script("PRAGMA writable_schema = RESET") // which no transaction takes back
	}
	return err
}
