package examples

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/holdfast-project/holdfast/activities"
)

// Redo is example-redo. An event of Redo's has the whole return, so nothing has
// to be fetched: what is applied is the return's status as of this event. Events
// of one return come in Redo's order; only a backfill or a replay brings an older
// one later, which the event's own time, At, tells.
func Redo(log *slog.Logger) activities.Handler {
	return activities.Handler{Name: "example-redo", Handle: func(ctx context.Context, e activities.Event) error {
		var body struct {
			Return struct {
				ID     string            `json:"id"`
				Type   string            `json:"type"` // return, claim or warranty
				Status string            `json:"status"`
				Items  []json.RawMessage `json:"items"`
			} `json:"return"`
		}
		if json.Unmarshal(e.Body, &body) != nil || body.Return.ID == "" || body.Return.Status == "" {
			return errShape
		}
		// Here a real handler writes, with e.ID as the key under which it does so once.
		log.LogAttrs(ctx, slog.LevelInfo, "example: a return", about(e,
			slog.String("return", body.Return.ID), slog.String("kind", body.Return.Type),
			slog.String("status", body.Return.Status), slog.Int("items", len(body.Return.Items)),
			slog.Time("at", e.At))...)
		return nil
	}}
}
