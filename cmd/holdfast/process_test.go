package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
)

// away is a Temporal that is not there.
type away struct{}

func (away) SignalWithStartWorkflow(context.Context, string, string, any, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return nil, errors.New("connection refused")
}

func TestRingsLeftAreReportedOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &process{log: slog.New(slog.NewTextHandler(&out, nil))}
	p.ringer = doorbell.NewRinger(doorbell.Options{
		Temporal: away{}, Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	p.ringer.Ring("redo/r1")
	p.stopRings()
	p.close()
	require.Equal(t, 1, strings.Count(out.String(), "stopped with rings outstanding"), out.String())
}

func TestAPortInUseIsSaidPlainly(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	address := taken.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	_, err = ingress.Listen(t.Context(), address, nil, slog.New(slog.DiscardHandler))
	require.Error(t, err)
	require.EqualError(t, listenProblem("HOLDFAST_LISTEN", address, err),
		"HOLDFAST_LISTEN: port "+port+" is in use: stop what listens there or set another address")

	_, err = ingress.Listen(t.Context(), "192.0.2.1:0", nil, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, listenProblem("HOLDFAST_OPERATOR_LISTEN", "192.0.2.1:0", err), "HOLDFAST_OPERATOR_LISTEN: listen on 192.0.2.1:0: ")
}
