package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/inbox/postgres"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

func migrateCommand() *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema of the inbox up to date",
		Long: `Brings the schema of the inbox that HOLDFAST_INBOX names up to date, and says from
which version to which. Processes do that themselves when they start, unless
HOLDFAST_MIGRATE is false: then this is the step before them, and only it needs the
right to change tables. To run it twice, or in two places at once, does no harm.

In an upgrade migrate first, then start the new processes.`,
		Example: `  HOLDFAST_INBOX=postgres://holdfast@db.example/holdfast holdfast migrate
  holdfast migrate --wait 2m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c Config
			if err := load(&c); err != nil {
				return err
			}
			return migrate(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), c.Inbox, wait)
		},
	}
	c.Flags().DurationVar(&wait, "wait", 30*time.Second, "`time` to wait for a server that cannot be reached")
	return c
}

func migrate(ctx context.Context, stdout, stderr io.Writer, where inboxURL, wait time.Duration) error {
	if file, ok := where.sqlite(); ok {
		// Whoever opens it migrates it, and only one process can have it open.
		store, err := sqlite.Open(ctx, file, sqlite.Options{})
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "The schema of %s is up to date. A process sees to that of an SQLite inbox by itself; for PostgreSQL, set HOLDFAST_INBOX to its URL.\n", where)
		return store.Close()
	}
	waiting := false
	for deadline := time.Now().Add(wait); ; {
		from, to, err := postgres.Migrate(ctx, where.reveal())
		switch {
		case err == nil && from == to:
			fmt.Fprintf(stdout, "The schema of %s is up to date: version %d.\n", where, to)
			return nil
		case err == nil:
			fmt.Fprintf(stdout, "The schema of %s was at version %d and is at version %d.\n", where, from, to)
			return nil
		case !isAway(err) || !time.Now().Before(deadline):
			return err
		case !waiting:
			waiting = true
			fmt.Fprintf(stderr, "holdfast: waiting up to %s: %v\n", wait, err)
		}
		if !sleep(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

// isAway tells whether a server may be there later: it cannot be reached, it is
// starting, or it has no connection left.
func isAway(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		const starting, full = "57P03", "53300"
		return said.Code == starting || said.Code == full
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network)
}
