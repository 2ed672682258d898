package activities_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
)

func routes(t *testing.T, settings ...string) *activities.Routes {
	t.Helper()
	r, err := newRoutes(settings...)
	require.NoError(t, err)
	return r
}

func newRoutes(settings ...string) (*activities.Routes, error) {
	d := activities.NewDestinations(activities.Config{DestinationConcurrency: 1}, slog.New(slog.DiscardHandler))
	return activities.NewRoutes(settings, d, []activities.Handler{
		{Name: "refund", Handle: func(context.Context, activities.Event) error { return nil }},
	})
}

func TestRoutesMatch(t *testing.T) {
	t.Parallel()
	r := routes(t,
		"redo/return.updated=https://user:pass@app.example/hooks/redo?token=abc",
		"redo/return.*=go:refund",
		"redox/PatientAdmin:*=http://127.0.0.1:9000",
		"*/ticket*change=log:",
	)
	for event, want := range map[string]string{
		"redo/return.updated":               "POST app.example/hooks/redo",
		"redo/return.created":               "refund",
		"redox/PatientAdmin:Arrival":        "POST 127.0.0.1:9000",
		"board/ticket_status_change":        "log",
		"board/ticket_status_change_undone": "",
		"redox/Scheduling:New":              "",
		"xredo/return.created":              "",
	} {
		source, eventType, _ := strings.Cut(event, "/")
		h, found := r.Match(source, eventType)
		require.Equal(t, want, h.Name, event)
		require.Equal(t, want != "", found, event)
	}
	require.Equal(t, []string{"POST app.example/hooks/redo", "refund", "POST 127.0.0.1:9000", "log"}, r.Names())
}

func TestBadRoutesAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := newRoutes("https://user:hunter2@app.example", "https://h/?k=hunter2", "redo/*=ftp://x", "redo=log:", "redo/*=go:nobody", "a/*=log:x", "b/*=http://", "c/*=https://%zz:hunter2@x")
	require.Error(t, err)
	for _, part := range []string{
		"route 1: is not of the form source/type=target", "route 2: is a URL", "the target is none of http://", "is not of the form source/type, such as",
		`no handler "nobody"; there are: refund`, "log: takes nothing", "not a valid URL",
	} {
		require.ErrorContains(t, err, part)
	}
	require.NotContains(t, err.Error(), "hunter2", "a URL may hold a password")
}

func TestHandlersMustHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := activities.Handler{Name: "twice", Handle: func(context.Context, activities.Event) error { return nil }}
	d := activities.NewDestinations(activities.Config{}, slog.New(slog.DiscardHandler))
	_, err := activities.NewRoutes([]string{"*=go:twice"}, d, []activities.Handler{h, h, {Name: "idle"}})
	require.ErrorContains(t, err, `handler "twice"`)
	require.ErrorContains(t, err, `handler "idle"`)
}
