package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/workflows"
)

const (
	// readyPatience is for a loaded machine, and for an inbox that must first recover.
	readyPatience = 3 * time.Minute
	readyLook     = 50 * time.Millisecond
)

// site is where the processes run: a folder for their logs, and a Temporal server.
type site struct {
	dir, holdfast string
	address       string // of Temporal
	temporal      *child
	started       int // of holdfast
}

// openSite starts a Temporal server in memory. What it would forget in a crash the
// inbox knows, and its own disk is not what is measured.
func openSite(ctx context.Context, temporal, holdfast string) (*site, error) {
	program, err := filepath.Abs(holdfast)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("-holdfast: %w: make build builds one", err)
	}
	dir, err := os.MkdirTemp("", "holdfast-scale-")
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, holdfast: program}
	port, err := fleet.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	s.address = local(port)
	s.temporal, err = s.start("temporal", nil, temporal, "server", "start-dev", "--ip", "127.0.0.1", "--port", strconv.Itoa(port),
		"--headless", "--log-level", "error",
		"--search-attribute", workflows.SearchAttributeSource+"=Keyword", "--search-attribute", workflows.SearchAttributeState+"=Keyword")
	if err != nil {
		return nil, err
	}
	if err := s.temporal.ready(ctx, s.temporalAnswers); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; logs are in %s", err, dir), s.close())
	}
	return s, nil
}

func (s *site) temporalAnswers(ctx context.Context) error {
	c, err := client.NewLazyClient(client.Options{HostPort: s.address, Logger: log.NewStructuredLogger(silence)})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

// close stops the Temporal server.
func (s *site) close() error { return s.temporal.stop() }

// ready waits until a process says that it is.
func (c *child) ready(ctx context.Context, ask func(context.Context) error) error {
	over := time.After(readyPatience)
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return fmt.Errorf("%s ended at its start", c.name)
		case <-over:
			return fmt.Errorf("%s is not ready after %v: %w", c.name, readyPatience, err)
		case <-time.After(readyLook):
		}
	}
}

// local is the address of a port on loopback.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
