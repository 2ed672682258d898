package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options tune a Server. Zero fields mean the defaults.
type Options struct {
	// Dir is where the server keeps its data, which a later Start finds again. Whoever
	// is root must name one that the user postgres can reach. Empty: a temporary one,
	// removed by Close.
	Dir string
	// Port is where it listens on loopback; 0: a free one.
	Port int
	// Settings go into postgresql.conf's place.
	Settings map[string]string
	// InitDB are more arguments of initdb, for a cluster that is not there yet.
	InitDB []string
}

// Server is a PostgreSQL server. Its methods are safe for concurrent use.
type Server struct {
	dir       string
	temporary bool
	port      int
	bin       string
	account   account
	settings  map[string]string
	initDB    []string

	mu     sync.Mutex
	keeper *keeper // nil: stopped
}

// defaults keep a server small; what it promises about durability is untouched.
var defaults = map[string]string{
	"listen_addresses":           "127.0.0.1",
	"unix_socket_directories":    "",
	"shared_buffers":             "64MB",
	"max_connections":            "200",
	"log_line_prefix":            "%m [%p] ",
	"max_wal_size":               "1GB",
	"log_min_duration_statement": "-1",
}

// Start makes a cluster, unless Dir has one, starts a server on it, and returns
// when it answers. The caller closes it. ErrNotInstalled.
func Start(ctx context.Context, options Options) (*Server, error) {
	bin, err := binaries(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: options.Dir, port: options.Port, bin: bin, settings: options.Settings, initDB: options.InitDB}
	if s.account, err = serverAccount(); err != nil {
		return nil, err
	}
	if s.dir == "" {
		s.temporary = true
		if s.dir, err = os.MkdirTemp("", "holdfast-postgres-"); err != nil {
			return nil, err
		}
	}
	if s.dir, err = filepath.Abs(s.dir); err == nil {
		err = s.create(ctx)
	}
	if err == nil {
		err = s.Restart(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// create makes the cluster if there is none.
func (s *Server) create(ctx context.Context) error {
	if err := s.account.own(s.dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.data(), "PG_VERSION")); err == nil {
		return nil
	}
	args := append([]string{
		"--pgdata", s.data(), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
		"--no-locale", "--no-sync", "--no-instructions",
	}, s.initDB...)
	command := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), args...)
	command.SysProcAttr, command.Dir = s.account.process(), s.dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("make a PostgreSQL cluster in %s: %w: %s", s.data(), err, out)
	}
	return nil
}

// startPatience is long: recovery after a crash on a loaded machine takes its time.
const startPatience = 90 * time.Second

// Restart starts the server again, on the same port and data, and returns when it
// answers. A server that runs is stopped first.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(syscall.SIGINT)
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	chosen := s.port != 0
	for attempt := 1; ; attempt++ {
		if !chosen {
			port, err := freePort(ctx)
			if err != nil {
				return err
			}
			s.port = port
		}
		err := s.start(ctx)
		// Somebody may take a free port before the server does.
		if err == nil || chosen || attempt == 5 || !strings.Contains(err.Error(), "Address already in use") {
			return err
		}
	}
}

func (s *Server) start(ctx context.Context) error {
	args := []string{filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port)}
	for name, value := range s.effective() {
		args = append(args, "-c", name+"="+value)
	}
	var err error
	if s.keeper, err = s.keep(ctx, args); err != nil {
		return err
	}
	if err := s.answers(ctx); err != nil {
		s.stop(syscall.SIGQUIT)
		return fmt.Errorf("start PostgreSQL: %w: %s", err, s.lastWords())
	}
	return nil
}

// answers waits until the server does.
func (s *Server) answers(ctx context.Context) error {
	for {
		// A moment each: somebody else may listen there, and never say a word.
		try, cancel := context.WithTimeout(ctx, time.Second)
		conn, err := pgx.Connect(try, s.URL("postgres"))
		cancel()
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.keeper.done:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Server) effective() map[string]string {
	settings := maps.Clone(defaults)
	maps.Copy(settings, s.settings)
	return settings
}

func (s *Server) lastWords() string {
	text, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// URL returns where a database of the server is.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Port returns where the server listens.
func (s *Server) Port() int { return s.port }

// CreateDatabase makes a database.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	return s.command(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// DropDatabase removes a database, and whoever is connected to it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.command(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
}

func (s *Server) command(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}
