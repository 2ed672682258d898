package examples

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/holdfast-project/holdfast/activities"
)

// SocialBoards is example-socialboards. One request can carry several events, each
// an element of the body's Events; Index says which one this is. Nothing proves
// that SocialBoards sent the request: whoever acts on a ticket in earnest reads it
// again through SocialBoards' API first.
func SocialBoards(log *slog.Logger) activities.Handler {
	return activities.Handler{Name: "example-socialboards", Handle: func(ctx context.Context, e activities.Event) error {
		var body struct {
			TicketID json.Number `json:"TicketId"`
			Events   []struct {
				PreviousTicketStatus string
				Ticket               *struct {
					ID     json.Number `json:"Id"`
					Status string
				}
				ConversationID json.Number `json:"ConversationId"`
				Conversation   *struct{ IsClosed bool }
			}
		}
		if json.Unmarshal(e.Body, &body) != nil {
			return errShape
		}
		attrs := about(e)
		switch {
		case len(body.Events) == 0: // an event without detail
			attrs = append(attrs, slog.String("ticket", body.TicketID.String()))
		case e.Index >= len(body.Events):
			return errShape
		case body.Events[e.Index].Ticket != nil:
			element := body.Events[e.Index]
			attrs = append(attrs, slog.String("ticket", element.Ticket.ID.String()),
				slog.String("status", element.Ticket.Status), slog.String("status_before", element.PreviousTicketStatus))
		case body.Events[e.Index].Conversation != nil:
			element := body.Events[e.Index]
			attrs = append(attrs, slog.String("conversation", element.ConversationID.String()),
				slog.Bool("closed", element.Conversation.IsClosed))
		}
		log.LogAttrs(ctx, slog.LevelInfo, "example: a ticket", attrs...)
		return nil
	}}
}
