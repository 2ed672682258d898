package postgres

import (
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// connectError says why no connection was made in one sentence. The driver tries an
// address with and without TLS, and tells of both.
type connectError struct {
	cause  error
	reason error
}

func (e *connectError) Error() string { return e.reason.Error() }

func (e *connectError) Unwrap() error { return e.cause }

// reasonOf makes an error of connecting readable, if it is about one address.
func reasonOf(err error) error {
	var failed *pgconn.ConnectError
	if !errors.As(err, &failed) {
		return err
	}
	for _, other := range failed.Config.Fallbacks {
		if other.Host != failed.Config.Host || other.Port != failed.Config.Port {
			return err
		}
	}
	var said *pgconn.PgError
	var network *net.OpError
	switch {
	case errors.As(err, &said):
		return &connectError{err, said}
	case errors.As(err, &network):
		return &connectError{err, network}
	default:
		return err
	}
}

// advise adds what a person can do about an error of a start, where that is not
// plain from it.
func advise(err error) error {
	if codeOf(err) == codeNoPrivilege {
		return fmt.Errorf("%w: give the role its rights, as deploy/README.md lists them", err)
	}
	return err
}
