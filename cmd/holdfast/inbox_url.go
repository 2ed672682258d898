package main

import (
	"errors"
	"net/url"
	"strings"
)

const sqliteScheme = "sqlite:"

// inboxURL says where events are kept. It prints without what may be secret in it.
type inboxURL string

// reveal is the whole of it, with the password.
func (u inboxURL) reveal() string { return string(u) }

// sqlite returns the file, if it is an SQLite inbox.
func (u inboxURL) sqlite() (file string, ok bool) { return strings.CutPrefix(string(u), sqliteScheme) }

func (u inboxURL) postgres() bool {
	scheme, _, found := strings.Cut(string(u), "://")
	return found && (scheme == "postgres" || scheme == "postgresql")
}

// String leaves out the password, and the parameters, among which there may be one.
func (u inboxURL) String() string {
	if _, file := u.sqlite(); file {
		return string(u)
	}
	parsed, err := url.Parse(string(u))
	if err != nil || !u.postgres() {
		return "[not a valid inbox]"
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	if name := parsed.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

// GoString is String: %#v is no way around it.
func (u inboxURL) GoString() string { return u.String() }

// validate says what is wrong, without the value. The rest is said by whoever opens it.
func (u inboxURL) validate() error {
	if file, ok := u.sqlite(); ok && file != "" {
		return nil
	}
	if !u.postgres() {
		return errors.New("must be sqlite: and a file, such as sqlite:./data/inbox.db, or postgres:// and a database, such as postgres://holdfast@db.example/holdfast")
	}
	// The error of url.Parse would quote it.
	parsed, err := url.Parse(string(u))
	if err != nil {
		return errors.New("is not a valid URL: in a name or password, a character such as @, /, #, % or a space is written %40, %2F, %23, %25 or %20")
	}
	// Without one PostgreSQL takes the database of the user's name: postgres itself, say.
	if strings.Trim(parsed.Path, "/") == "" && !parsed.Query().Has("dbname") && !parsed.Query().Has("service") {
		return errors.New("names no database: write postgres://user@host/database, such as postgres://holdfast@db.example/holdfast")
	}
	return nil
}
