package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestE2ESubjectsOfAnyKind sends ids as senders may make them: each is handled,
// in a queue of its own.
func TestE2ESubjectsOfAnyKind(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	d := startDaemon(t, redoSource("anykind", destination.url, nil))
	s := newSender(t, d, "anykind")
	ids := []string{
		"café", "患者 7", "a b/c?d#e%41", " outer", "outer ", "outer", "line\nbreak", "\u202Ebidi", "\u2028", "'; --",
		strings.Repeat("long", 200), "sha256:" + strings.Repeat("0", 64),
	}
	queues := map[string]string{}
	for _, id := range ids {
		queue := s.send(t, id, 0, 2)[0].Subject
		require.NotContains(t, queues, queue, "%q shares the queue of %q", id, queues[queue])
		queues[queue] = id
	}
	d.settled(t)
	for queue, id := range queues {
		require.Equal(t, "delivered delivered", d.statuses(t, queue), "%q", id)
	}
	require.Equal(t, "delivered delivered", d.statuses(t, "anykind/café"), "found by the sender's own id")
}
