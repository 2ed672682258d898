package main

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

func TestSubjectsListAndShowAHeldOne(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	require.Contains(t, r.do(t, "subjects", "list"), "All subjects are idle")
	r.hold(t, r.accept(t, "r1", "return.updated"), "status 422")
	r.accept(t, "r1", "return.updated")
	r.accept(t, "r2", "return.created")

	held := lines(r.do(t, "subjects", "list", "--state", "held"))
	require.Len(t, held, 1)
	require.Regexp(t, `^redo/r1 +held +2 +in (59m59s|1h0m) +1 return.updated +status 422$`, held[0])
	require.Len(t, lines(r.do(t, "subjects", "list")), 2)
	require.ErrorContains(t, command(t, r.env, "", "subjects", "list", "--state", "sad").err, "state must be pending, retrying or held")

	shown := r.do(t, "subjects", "show", "redo/r1")
	require.Contains(t, shown, "holdfast subjects resume redo/r1\n")
	require.Contains(t, shown, "holdfast subjects park redo/r1 --sequence 1 --reason '...'\n")
	require.EqualError(t, command(t, r.env, "", "subjects", "show", "redo/none").err, `subject "redo/none": not found`)
	require.EqualError(t, command(t, r.env, "", "subjects", "show", "r1").err, `subject "r1": not found; an ID begins with its source, such as redo/r1`)
	require.ErrorContains(t, command(t, r.env, "", "subjects", "pause", "r1").err, "an ID begins with its source, such as redo/r1")
}

func TestSubjectsListPages(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	for _, subject := range []string{"a", "b", "c"} {
		r.accept(t, subject, "return.updated")
	}
	first := command(t, r.env, "", "subjects", "list", "--limit", "2")
	require.NoError(t, first.err)
	require.Equal(t, "There are more: add --after redo/b\n", first.stderr)
	rest := lines(r.do(t, "subjects", "list", "--after", "redo/b"))
	require.Len(t, rest, 1)
	require.Contains(t, rest[0], "redo/c")
}

func TestSubjectsVerbs(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	r.hold(t, r.accept(t, "r1", "return.updated"), "status 422")
	second := r.accept(t, "r1", "return.updated")

	other := r.accept(t, "r2", "return.updated")
	wrong := command(t, r.env, "", "subjects", "park", "redo/r1", "--sequence", strconv.FormatInt(other.Sequence, 10), "--reason", "gone")
	require.Error(t, wrong.err, "an event of another subject")
	require.Contains(t, r.do(t, "subjects", "park", "redo/r1", "--sequence", "1", "--reason", "gone"),
		"Parked event 1; holdfast events replay 1 brings it back.\n")
	require.Contains(t, r.do(t, "events", "show", "1"), "gone")
	again := command(t, r.env, "", "subjects", "park", "redo/r1", "--sequence", "1", "--reason", "gone")
	require.Error(t, again.err)
	require.Contains(t, r.do(t, "events", "list", "--status", "pending"), "\n2 ", "a repeated park hits nothing else")

	require.Regexp(t, `^redo/r1 is held, next try in (1h59m|2h0m) \(paused by kim: deploying\); 1 event pending\.\n$`,
		r.do(t, "subjects", "pause", "redo/r1", "--until", "2h", "--reason", "deploying"))
	shown := r.do(t, "subjects", "show", "redo/r1")
	require.Regexp(t, `(?m)^  held by +kim$`, shown)
	require.Regexp(t, `(?m)^  (now|\ds ago) +pause +kim +deploying$`, shown)

	require.Equal(t, "redo/r1 is pending: its events are about to be handled; 1 event pending.\n", r.do(t, "subjects", "resume", "redo/r1"))
	require.Error(t, command(t, r.env, "", "subjects", "resume", "redo/r1").err, "it is not held")
	require.Contains(t, r.bell.heard(), "redo/r1")

	var subject operator.SubjectJSON
	require.NoError(t, json.Unmarshal([]byte(r.do(t, "subjects", "pause", "redo/r1", "--by", "lou", "-o", "json")), &subject))
	require.Equal(t, "lou", subject.HeldBy)
	require.True(t, subject.HeldUntil.IsZero())
	require.Equal(t, second.Sequence, subject.Head.Sequence)
}

func TestSubjectsVerbsCheckWhatTheyAreTold(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	r.accept(t, "r1", "return.updated")
	require.ErrorContains(t, command(t, r.env, "", "subjects", "park", "redo/r1", "--reason", "gone").err, `required flag(s) "sequence" not set`)
	require.ErrorContains(t, command(t, r.env, "", "subjects", "park", "redo/r1", "--sequence", "1").err, `required flag(s) "reason" not set`)
	require.Error(t, command(t, r.env, "", "subjects", "park", "redo/r1", "--sequence", "1", "--reason", "").err)
	require.ErrorContains(t, command(t, r.env, "", "subjects", "park", "redo/r1", "--sequence", "-1", "--reason", "gone").err, "is not the sequence")
	require.ErrorContains(t, command(t, r.env, "", "subjects", "pause", "redo/r1", "--until", "noon").err, "until")
	require.Error(t, command(t, r.env, "", "subjects", "pause", "redo/r1", "--until", time.Now().Add(-time.Hour).Format(time.RFC3339)).err)
	require.ErrorContains(t, command(t, r.env, "", "subjects", "pause").err, "accepts 1 arg(s)")
}

func TestVerbsAreSignedByTheUserAsFarAsKnown(t *testing.T) {
	t.Parallel()
	require.Equal(t, "command line", userName(noEnvironment))
	require.Equal(t, "lou", userName(func(name string) (string, bool) { return "lou", name == "LOGNAME" }))
}
