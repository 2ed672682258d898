package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestE2ESubjectsOfAnyKind sends ids as senders may make them: each is handled,
// in a queue of its own, and found again by the sender's own id.
func TestE2ESubjectsOfAnyKind(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := startDaemon(t, redoSource("anykind", destination.url, nil))
	s := newSender(t, d, "anykind")
	ids := []string{
		"café", "患者 7", "a b/c?d#e%41", " outer", "outer ", "outer", "line\nbreak", "\u202Ebidi", "\u2028", "'; --",
		strings.Repeat("long", 200), "sha256:" + strings.Repeat("0", 64),
	}
	queues := map[string]bool{}
	for _, id := range ids {
		for _, receipt := range s.send(t, id, 0, 2) {
			queues[receipt.Subject] = true
		}
	}
	require.Len(t, queues, len(ids), "no two ids share a queue")
	d.settled(t)
	for _, id := range ids {
		require.Equal(t, "delivered delivered", d.statuses(t, "anykind/"+id), "%q", id)
	}
}
