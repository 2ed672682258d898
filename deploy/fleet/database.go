package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-project/holdfast/inbox/postgres/postgrestest"
)

// InboxDatabase is the database that the inbox is in.
const InboxDatabase = "holdfast"

// Database is the member that is PostgreSQL: its postmaster and all of its children.
type Database struct {
	server *postgrestest.Server
	log    *slog.Logger

	mu     sync.Mutex
	wanted bool
	exits  int
	stop   chan struct{}
	done   chan struct{}
}

// startDatabase starts PostgreSQL as production runs it: what is committed is on
// disk, and torn pages are mended.
func startDatabase(ctx context.Context, dir string, port int, initDB []string, log *slog.Logger) (*Database, error) {
	server, err := postgrestest.Start(ctx, postgrestest.Options{Dir: dir, Port: port, InitDB: initDB, Settings: map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "200",
	}})
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	d := &Database{server: server, log: log, wanted: true, stop: make(chan struct{}), done: make(chan struct{})}
	go d.watch() //nolint:gosec // it outlives the start
	return d, nil
}

// watch is the supervisor.
func (d *Database) watch() {
	defer close(d.done)
	for {
		select {
		case <-d.stop:
			return
		case <-time.After(restartPause):
		}
		d.mu.Lock()
		gone := d.wanted && len(d.server.PIDs()) == 0
		if gone {
			d.exits++
			d.log.Warn("a process ended by itself and is started again", slog.String("process", d.Name()))
			if err := d.server.Restart(context.Background()); err != nil {
				d.log.Error("PostgreSQL does not start", slog.Any("error", err))
			}
		}
		d.mu.Unlock()
	}
}

// Name is postgres.
func (d *Database) Name() string { return "postgres" }

// URL is where a database of the server is, through no proxy.
func (d *Database) URL(database string) string { return d.server.URL(database) }

// PIDs are the postmaster and its children.
func (d *Database) PIDs() []int { return d.server.PIDs() }

// address is the server's host and port.
func (d *Database) address() string { return local(d.server.Port()) }

// urlAt is the URL of a database whose server is reached at an address.
func urlAt(database, address string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: address, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// create makes a database unless it is there.
func (d *Database) create(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, d.URL("postgres"))
	if err != nil {
		return fmt.Errorf("look for the database %s: %w", name, err)
	}
	var there bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("look for the database %s: %w", name, err)
	}
	if there {
		return nil
	}
	return d.server.CreateDatabase(ctx, name)
}

// Start starts the server again.
func (d *Database) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = true
	if len(d.server.PIDs()) > 0 {
		return nil
	}
	return d.server.Restart(ctx)
}

// Stop ends it in good order.
func (d *Database) Stop(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = false
	return d.server.Stop()
}

// Kill is pg_ctl stop -m immediate: nothing more is written.
func (d *Database) Kill() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = false
	return d.server.Crash()
}

// Freeze stops every process of the server. Its children are in no group of the
// postmaster's, and one that it starts meanwhile is frozen in the next turn.
func (d *Database) Freeze() error {
	frozen := map[int]bool{}
	for turns := 0; turns < 10; turns++ {
		more := false
		for _, pid := range d.server.PIDs() {
			if !frozen[pid] {
				more = true
				frozen[pid] = syscall.Kill(pid, syscall.SIGSTOP) == nil
			}
		}
		if !more {
			break
		}
	}
	if len(frozen) == 0 {
		return errors.New("postgres does not run")
	}
	return nil
}

// Thaw lets them go on.
func (d *Database) Thaw() error {
	for _, pid := range d.server.PIDs() {
		_ = syscall.Kill(pid, syscall.SIGCONT) // it may have ended
	}
	return nil
}

// Exits tells how often the server ended by itself.
func (d *Database) Exits() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.exits
}

// close ends the supervisor and the server, in good order.
func (d *Database) close() error {
	close(d.stop)
	<-d.done
	return errors.Join(d.Stop(context.Background()), d.server.Close())
}

// hostPort splits an address whose form is our own.
func hostPort(address string) (host, port string) {
	host, port, _ = net.SplitHostPort(address)
	return host, port
}
