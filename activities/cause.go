package activities

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
)

// cause tells why a request failed, in words of our own: the transport's errors
// quote the URL, and bytes of an answer that is not HTTP, which may be an echo of
// the payload.
func cause(err error) string {
	var (
		errno       syscall.Errno
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		timeout     net.Error
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return "the host name cannot be resolved"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &certificate):
		return "the TLS certificate is not accepted"
	case errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return "no TLS connection can be made"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	default:
		return "the answer is not valid HTTP"
	}
}
