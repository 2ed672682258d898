// Package examples has a Go handler for each provider, to start one of your own
// from. A route reaches them by name: redo/*=go:example-redo, and likewise
// example-redox, example-redeam and example-socialboards. Each reads the few
// fields that it acts on, and writes one line of log with ids and states; where a
// real handler would do its work, it has that line.
//
// What they show: the event's ID as the idempotency key of whatever is done;
// which failures to Park, which to call Critical, which to leave to be tried
// again; and that neither a log line nor an error quotes the body, which may hold
// personal data. Not even the JSON decoder's error is quoted: it can repeat a value.
//
// To add a handler, write one beside these, or in a package of its own, and list
// it in cmd/holdfast/handlers.go.
package examples

import (
	"errors"
	"log/slog"

	"github.com/holdfast-project/holdfast/activities"
)

// errShape parks an event whose body is not as its provider documents it: trying
// again would not change the body.
var errShape = activities.Park(errors.New("the body is not as the provider documents it"))

// about are the attributes by which an event's line of log is found again.
func about(e activities.Event, more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{
		slog.String("subject", e.Subject), slog.Int64("sequence", e.Sequence), slog.String("type", e.Type),
		slog.String("event_id", e.ID), slog.Int("attempt", e.Attempt),
	}, more...)
}
