package main

import (
	"log/slog"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/activities/examples"
)

// handlers lists the Go handlers that a route can name as go:<name>. A new one is
// one line.
func handlers(log *slog.Logger) []activities.Handler {
	return []activities.Handler{
		examples.Redo(log),
		examples.Redox(log),
		examples.Redeam(log, nil),
		examples.SocialBoards(log),
	}
}
