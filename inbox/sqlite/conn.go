package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// conn is a connection to the database with the statements it has prepared. It is not
// safe for concurrent use. doc.go says why it is not one of database/sql's.
type conn struct {
	raw        *sqlite3.Conn
	statements map[string]*sqlite3.Stmt
	log        *logFile // of a connection that has committed
}

func openConn(ctx context.Context, source string) (*conn, error) {
	raw, err := sqlite3.OpenContext(ctx, source)
	if err != nil {
		return nil, err
	}
	// A plan depends on the text of a query alone. Else SQLite looks at what is bound,
	// to a LIMIT for one, and prepares the statement again each time another value is.
	if _, err := raw.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return &conn{raw: raw, statements: map[string]*sqlite3.Stmt{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// script runs statements without parameters or results.
func (c *conn) script(statements string) error { return c.raw.Exec(statements) }

// exec runs a statement that has no result.
func (c *conn) exec(query string, args ...any) error {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	if err := bind(s, args); err != nil {
		return err
	}
	return errors.Join(s.Exec(), s.ClearBindings())
}

// commit ends a transaction of a connection that writes.
func (c *conn) commit() (err error) {
	if c.log == nil { // SQLite opens it no sooner than with a transaction
		if c.log, err = logOf(c.raw); err != nil {
			return err
		}
	}
	c.log.beginCommit()
	defer c.log.endCommit()
	return c.exec("COMMIT")
}

// errEnough ends a query whose further rows nobody needs.
var errEnough = errors.New("enough")

// query hands each row of a result to each.
func (c *conn) query(query string, args []any, each func(columns) error) error {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	return rowsOf(s, args, each)
}

// queryOnce is query for a text that is hardly ever the same.
func (c *conn) queryOnce(query string, args []any, each func(columns) error) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	return errors.Join(rowsOf(s, args, each), s.Close())
}

// first hands the first row of a result to read and tells whether there is one.
func (c *conn) first(query string, args []any, read func(columns)) (found bool, err error) {
	s, err := c.prepared(query)
	if err != nil {
		return false, err
	}
	if err := bind(s, args); err != nil {
		return false, err
	}
	if found = s.Step(); found {
		read(columns{s: s})
	}
	return found, done(s, s.Err())
}

// snapshot lets several queries see the database as it is now.
func (c *conn) snapshot(read func() error) error {
	if err := c.script("BEGIN"); err != nil {
		return err
	}
	err := read()
	c.raw.SetInterrupt(context.Background()) // or it could not be ended
	return errors.Join(err, c.script("COMMIT"))
}

func (c *conn) prepared(query string) (*sqlite3.Stmt, error) {
	if s := c.statements[query]; s != nil {
		return s, nil
	}
	s, err := c.prepare(query)
	if err == nil {
		c.statements[query] = s
	}
	return s, err
}

func (c *conn) prepare(query string) (*sqlite3.Stmt, error) {
	s, tail, err := c.raw.Prepare(query)
	if err == nil && (s == nil || tail != "") {
		return nil, errors.Join(fmt.Errorf("not one statement: %s", query), s.Close())
	}
	return s, err
}

func rowsOf(s *sqlite3.Stmt, args []any, each func(columns) error) error {
	err := bind(s, args)
	for err == nil && s.Step() {
		err = each(columns{s: s})
	}
	switch {
	case err == nil:
		err = s.Err()
	case errors.Is(err, errEnough):
		err = nil
	}
	return done(s, err)
}

// done makes a statement ready for its next use, and lets go of what was bound: a body
// can be large.
func done(s *sqlite3.Stmt, err error) error {
	if reset := s.Reset(); err == nil { // else it would say the same again
		err = reset
	}
	return errors.Join(err, s.ClearBindings())
}
