package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var embedded embed.FS

var migrations = mustSub(embedded, "migrations")

func mustSub(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err)
	}
	return sub
}

// migration is one numbered file, such as 0001_initial.sql.
type migration struct {
	version int
	name    string
	sql     string
}

// migrate applies the migrations that a database has not seen, each in a
// transaction of its own. It refuses a database that has seen one it does not know.
func migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	steps, err := readMigrations(files)
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
	newest := steps[len(steps)-1].version
	if have > newest {
		return fmt.Errorf("its schema is version %d and this holdfast knows only %d: "+
			"start the newer holdfast that made it, or restore a backup from before", have, newest)
	}
	for _, step := range steps {
		if step.version <= have {
			continue
		}
		if err := apply(ctx, db, step); err != nil {
			return fmt.Errorf("migration %s: %w", step.name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, db *sql.DB, step migration) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }()
	if _, err := t.ExecContext(ctx, step.sql); err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, "INSERT INTO migrations (version, name) VALUES (?, ?)", step.version, step.name); err != nil {
		return err
	}
	return t.Commit()
}

func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var steps []migration
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: its number should be %04d", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, migration{version: version, name: name, sql: string(text)})
	}
	return steps, nil
}
