package postgres

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// errClosed is what an operation gets that was not begun before Close.
var errClosed = errors.New("the inbox is closed")

// The server's error codes that something depends on.
const (
	codeSerialization  = "40001"
	codeDeadlock       = "40P01"
	codeLockTimeout    = "55P03"
	codeNoDatabase     = "3D000"
	codeNoSchema       = "3F000"
	codeReadOnly       = "25006"
	codeNoPrivilege    = "42501"
	codeNotPrepared    = "26000"
	codeCanceled       = "57014" // a statement took too long: its connection is well
	classAuthorization = "28"
	classConnection    = "08"
	classResources     = "53"
	classIntervention  = "57"
	classSystem        = "58"
	classDataCorrupted = "XX"
	classConfiguration = "F0"
)

func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// isContention tells whether the server took a transaction back because of others:
// nothing of it is done, and it may be tried again.
func isContention(err error) bool {
	return slices.Contains([]string{codeSerialization, codeDeadlock, codeLockTimeout}, codeOf(err))
}

// isContent tells whether the server refused a statement because of what is in it.
// The others of its batch are innocent.
func isContent(err error) bool {
	code := codeOf(err)
	if len(code) < 2 || isContention(err) || code == codeReadOnly {
		return false
	}
	return !slices.Contains([]string{
		classConnection, classResources, classIntervention, classSystem, classDataCorrupted, classConfiguration,
	}, code[:2])
}

// isMendable tells whether a connection will keep failing until a person mends
// something.
func isMendable(err error) bool {
	code := codeOf(err)
	return code == codeNoDatabase || code == codeNoSchema || code == codeNoPrivilege || strings.HasPrefix(code, classAuthorization)
}

// isConnection tells whether a connection broke, or leads to a server that takes no
// writes any more. The idle ones are likely no better.
func isConnection(err error) bool {
	code := codeOf(err)
	switch code {
	case "":
	case codeCanceled:
		return false
	default:
		return code == codeReadOnly || strings.HasPrefix(code, classConnection) || strings.HasPrefix(code, classIntervention)
	}
	var broken *net.OpError
	return errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
