package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout is for one address of a server that does not answer. A sender
	// waits for that long at most before it hears 503.
	connectTimeout = 2 * time.Second
	// pingTimeout is for a connection that was idle.
	pingTimeout = time.Second
)

// sessionSettings hold in each session, unless the URL says otherwise. What a role
// or a database has as its default must not change what the store promises.
var sessionSettings = map[string]string{
	"application_name":   "holdfast",
	"client_encoding":    "UTF8", // with another one, texts would be stored as something else
	"synchronous_commit": "on",   // an answer means that it is on disk
	// Each statement sees what was committed before it: the looks under a row's lock
	// depend on it.
	"default_transaction_isolation": "read committed",
	// A process that froze in the middle of a transaction loses it, and its locks.
	"idle_in_transaction_session_timeout": "2000",
	"lock_timeout":                        "1000",
	"statement_timeout":                   "30000",
	"jit":                                 "off", // no statement here is worth compiling
	"timezone":                            "UTC",
}

// errURL does not quote the URL: there may be a password in it.
var errURL = errors.New("it is no PostgreSQL URL, or one of its parameters is wrong: write postgres://user:password@host:5432/database?sslmode=verify-full")

func parseURL(url string) (*pgxpool.Config, error) {
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, errURL
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errURL
	}
	c := config.ConnConfig
	setSession(c)
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	// Of several addresses it is the primary that is meant, also after it has moved.
	if c.ValidateConnect == nil {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	// Nothing but what call prepares has a name, so nothing is missing after a failover,
	// behind a pooler or after DISCARD ALL. Only descriptions are kept.
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	return config, nil
}

// setSession has the settings made when a session begins, by a statement: a pooler
// refuses most of those that come with the connection, or drops them.
func setSession(c *pgx.ConnConfig) {
	var set []string
	for name, value := range sessionSettings {
		if _, given := c.RuntimeParams[name]; !given {
			set = append(set, fmt.Sprintf("set_config('%s', '%s', false)", name, value))
		}
	}
	if len(set) == 0 {
		return
	}
	statement := "SELECT " + strings.Join(set, ", ")
	c.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		return conn.Exec(ctx, statement).Close()
	}
}

// place names a database without its secrets.
func place(c *pgx.ConnConfig) string {
	return fmt.Sprintf("PostgreSQL at %s:%d, database %q, user %q", c.Host, c.Port, c.Database, c.User)
}
