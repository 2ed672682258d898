package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

// shell runs command lines as a user of a daemon does, in a process of their own.
type shell struct {
	env []string
	dir string
}

func newShell(d *daemon) *shell {
	webhooks, api := d.at.get()
	s := &shell{dir: d.dir, env: []string{
		actAsMain + "=1", "USER=kim", "HOME=" + d.dir,
		"HOLDFAST_LISTEN=" + strings.TrimPrefix(webhooks, "http://"),
		"HOLDFAST_OPERATOR_LISTEN=" + strings.TrimPrefix(api, "http://"),
	}}
	for name, value := range d.env {
		if strings.HasPrefix(name, "HOLDFAST_SOURCE_") || name == "HOLDFAST_OPERATOR_TOKEN" {
			s.env = append(s.env, name+"="+value)
		}
	}
	return s
}

// run returns what a command printed and its exit status.
func (s *shell) run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	end, leash, err := os.Pipe()
	require.NoError(t, err)
	defer end.Close()
	defer leash.Close()
	var out, errs bytes.Buffer
	c := exec.CommandContext(t.Context(), self, args...)
	c.Dir, c.Env, c.Stdout, c.Stderr, c.ExtraFiles = s.dir, s.env, &out, &errs, []*os.File{end}
	_ = c.Run()
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// do runs a command that must succeed and returns what it printed.
func (s *shell) do(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, status := s.run(t, args...)
	require.Zero(t, status, "holdfast %v: %s", args, stderr)
	return stdout
}

// decoded runs a command with -o json.
func decoded[T any](t *testing.T, s *shell, args ...string) T {
	t.Helper()
	var into T
	out := s.do(t, append(args, "-o", "json")...)
	require.NoError(t, json.Unmarshal([]byte(out), &into), "%s", out)
	return into
}

func TestE2ECommandLine(t *testing.T) {
	t.Parallel()
	forbidden := func(delivery) answer { return answer{status: http.StatusForbidden} }
	destination := newRecorder(t, forbidden)
	d := startDaemon(t, redoSource("shop", destination.url, map[string]string{"HOLDFAST_OPERATOR_TOKEN": "only-for-operators-0001"}))
	s := newShell(d)

	sent := s.do(t, "send", "redo", "--source", "shop", "--count", "4", "--subject", "r1")
	require.Equal(t, 4, strings.Count(sent, "accepted"), sent)
	until(t, "the hold", func() bool {
		list := decoded[operator.SubjectsJSON](t, s, "subjects", "list", "--state", "held")
		return len(list.Subjects) == 1
	})
	subject := decoded[operator.SubjectJSON](t, s, "subjects", "show", "shop/r1")
	require.Equal(t, "held", subject.State)
	require.Equal(t, 4, subject.Pending)
	require.Equal(t, "holdfast", subject.HeldBy)
	require.Contains(t, subject.LastError, "403 Forbidden")
	shown := s.do(t, "subjects", "show", "shop/r1")
	require.Contains(t, shown, "403 Forbidden")
	require.Contains(t, shown, "holdfast subjects resume shop/r1", "it says what can be done")

	list := decoded[operator.EventsJSON](t, s, "events", "list", "--subject", "shop/r1").Events
	require.Len(t, list, 4)
	number := func(i int) string { return strconv.FormatInt(list[i].Sequence, 10) }

	// Parked, the first makes room for the second, which is refused too.
	_, stderr, status := s.run(t, "subjects", "park", "shop/r1", "--sequence", "999", "--reason", "no such event")
	require.Equal(t, 1, status)
	require.NotEmpty(t, stderr)
	require.Contains(t, s.do(t, "subjects", "park", "shop/r1", "--sequence", number(0), "--reason", "its order was deleted"), "Parked event "+number(0))
	until(t, "the hold of the next", func() bool {
		now := d.subjectWithToken(t, s, "shop/r1")
		return now.Held && now.Head != nil && now.Head.Sequence == list[1].Sequence
	})
	parked := decoded[operator.EventJSON](t, s, "events", "show", number(0))
	require.Equal(t, "parked", parked.Status)
	require.Contains(t, parked.Reason, "its order was deleted")

	// A pause by an operator is not ended by the app's recovery, only by resume.
	require.Equal(t, "kim", decoded[operator.SubjectJSON](t, s, "subjects", "pause", "shop/r1", "--reason", "deploy").HeldBy)
	destination.obey(nil)
	s.do(t, "send", "redo", "--source", "shop", "--subject", "r2")
	until(t, "another subject to flow", func() bool { return len(destination.done("shop/r2")) == 1 })
	require.Empty(t, destination.done("shop/r1"))
	s.do(t, "subjects", "resume", "shop/r1", "--reason", "deployed")
	until(t, "the rest to be delivered", func() bool { return len(destination.done("shop/r1")) == 3 })
	until(t, "the queue to be empty", func() bool { return d.subjectWithToken(t, s, "shop/r1").State == "idle" })

	// A dry run changes nothing; a replay is a new event.
	require.Len(t, decoded[operator.ReplayJSON](t, s, "events", "replay", number(0), "--dry-run").Events, 1)
	replayed := decoded[operator.ReplayJSON](t, s, "events", "replay", number(0)).Events
	require.Len(t, replayed, 1)
	require.Equal(t, list[0].Sequence, *replayed[0].ReplayOf)
	until(t, "the replayed event", func() bool { return len(destination.done("shop/r1")) == 4 })
	last := destination.deliveries("shop/r1")
	require.Equal(t, number(0), last[len(last)-1].header.Get("Holdfast-Replay-Of"))
	require.Contains(t, s.do(t, "events", "list", "--subject", "shop/r1"), "delivered")

	_, stderr, status = s.run(t, "subjects", "resume", "shop/r1")
	require.Equal(t, 1, status, "there is nothing to resume")
	require.NotEmpty(t, stderr)
	s.env = append(s.env, "HOLDFAST_OPERATOR_TOKEN=wrong")
	_, stderr, status = s.run(t, "events", "list")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "HOLDFAST_OPERATOR_TOKEN")
}

// subjectWithToken asks through the command line, which has the token.
func (d *daemon) subjectWithToken(t *testing.T, s *shell, id string) operator.SubjectJSON {
	t.Helper()
	return decoded[operator.SubjectJSON](t, s, "subjects", "show", id)
}
