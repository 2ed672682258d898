package ingress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The limits of a connection. A body's own time is longer, and grows with what
// arrives; see body.go.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second // of a body that nobody reads, too
	idleTimeout       = 2 * time.Minute  // longer than the load balancers', so that they close first
	maxHeaderBytes    = 32 << 10         // tokens and traces need a few kilobytes; see also maxHeaderLines
)

// Server is an HTTP server whose address is known before it serves.
type Server struct {
	http     *http.Server
	listener net.Listener
}

// Listen opens an address. Connections wait until Serve is called; of those that
// are open at once there is a limit, see connections.
func Listen(ctx context.Context, address string, handler http.Handler, log *slog.Logger) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	limited := limitConnections(listener, log)
	return &Server{
		listener: limited,
		http: &http.Server{
			Handler:   handler,
			ConnState: limited.follow,
			ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
				return context.WithValue(ctx, connectionKey{}, conn)
			},
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
	}, nil
}

// Addr is the address that is listened on, with the real port.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve serves until Shutdown, and returns nil then.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	}
	return nil
}

// Shutdown accepts nothing more and waits for the requests that are running; at
// the end of ctx it cuts them off.
func (s *Server) Shutdown(ctx context.Context) error {
	// Serve closes the listener, but it may never have been called.
	defer func() { _ = s.listener.Close() }()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}
