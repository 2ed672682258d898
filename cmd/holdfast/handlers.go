package main

import "github.com/holdfast-project/holdfast/activities"

// handlers lists the Go handlers that a route can name as go:<name>. A new one is
// one line.
func handlers() []activities.Handler {
	return []activities.Handler{}
}
