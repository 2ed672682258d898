package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

// lines returns a table's lines without its head.
func lines(table string) []string { return strings.Split(strings.TrimSpace(table), "\n")[1:] }

func TestEventsListShowsEventsInOrder(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	require.Equal(t, "No events match.\n", r.do(t, "events", "list"))
	for range 5 {
		r.settle(t, r.accept(t, "r1", "return.updated"), inbox.StatusDelivered, "")
	}
	r.accept(t, "r2", "return.created")

	got := lines(r.do(t, "events", "list", "--subject", "redo/r1"))
	require.Len(t, got, 5)
	for i, line := range got {
		require.Regexp(t, `^`+strconv.Itoa(i+1)+` +delivered +redo/r1 +return.updated +(now|\ds ago) +1 +- +run$`, line)
	}
	require.Len(t, lines(r.do(t, "events", "list")), 6)
}

func TestEventsListFilters(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	r.settle(t, r.accept(t, "r1", "return.updated"), inbox.StatusParked, "gone")
	r.accept(t, "r1", "return.created")
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"--status", "parked"}, 1},
		{[]string{"--status", "delivered"}, 0},
		{[]string{"--type", "return.created"}, 1},
		{[]string{"--source", "redo"}, 2},
		{[]string{"--source", "redox"}, 0},
		{[]string{"--from", "1h"}, 2},
		{[]string{"--to", "1h"}, 0},
		{[]string{"--after", "1"}, 1},
	} {
		var got operator.EventsJSON
		out := r.do(t, append([]string{"events", "list", "-o", "json"}, c.args...)...)
		require.NoError(t, json.Unmarshal([]byte(out), &got))
		require.Len(t, got.Events, c.want, c.args)
	}
	require.ErrorContains(t, command(t, r.env, "", "events", "list", "--status", "broken").err, "status must be one of pending")
}

func TestEventsListPages(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	for range pageSize + 3 {
		r.accept(t, "r1", "return.updated")
	}
	first := command(t, r.env, "", "events", "list", "--limit", "2", "--after", "0")
	require.NoError(t, first.err)
	require.Len(t, lines(first.stdout), 2)
	require.Equal(t, "There are more: add --after 2\n", first.stderr)

	second := command(t, r.env, "", "events", "list", "--limit", "2000", "--after", "2")
	require.NoError(t, second.err)
	got := lines(second.stdout)
	require.Len(t, got, pageSize+1, "one limit can need several pages")
	require.True(t, strings.HasPrefix(got[0], "3 "))
	require.Empty(t, second.stderr)
	require.ErrorContains(t, command(t, r.env, "", "events", "list", "--limit", "0").err, "--limit must be at least 1")
}

// After a month of retention the oldest events are what nobody asks for.
func TestEventsListShowsTheNewest(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	const n = 2*pageSize + 3
	for range n {
		r.accept(t, "r1", "return.updated")
	}
	r.accept(t, "r2", "return.updated")
	list := func(args ...string) (sequences []int64, stderr string) {
		t.Helper()
		done := command(t, r.env, "", append([]string{"events", "list", "-o", "json"}, args...)...)
		require.NoError(t, done.err, args)
		var page operator.EventsJSON
		require.NoError(t, json.Unmarshal([]byte(done.stdout), &page))
		require.NotNil(t, page.Events)
		for _, event := range page.Events {
			sequences = append(sequences, event.Sequence)
		}
		return sequences, done.stderr
	}
	from := func(first, last int64) (all []int64) {
		for ; first <= last; first++ {
			all = append(all, first)
		}
		return all
	}
	for _, c := range []struct {
		args        []string
		first, last int64
		hint        string
	}{
		{nil, n - 98, n + 1, "There are earlier ones: add --before 105\n"},
		{[]string{"--before", "105"}, 5, 104, "There are earlier ones: add --before 5\n"},
		{[]string{"--before", "5"}, 1, 4, ""},
		{[]string{"--before", "101"}, 1, 100, ""},
		{[]string{"--before", "1"}, 1, 0, ""},
		{[]string{"--limit", "203"}, 2, n + 1, "There are earlier ones: add --before 2\n"},
		{[]string{"--limit", "204"}, 1, n + 1, ""},
		{[]string{"--limit", "2", "--subject", "redo/r1"}, n - 1, n, "There are earlier ones: add --before 202\n"},
		{[]string{"--after", "100", "--before", "103"}, 101, 102, ""},
	} {
		got, stderr := list(c.args...)
		require.Equal(t, from(c.first, c.last), got, c.args)
		require.Equal(t, c.hint, stderr, c.args)
	}
	require.ErrorContains(t, command(t, r.env, "", "events", "list", "--before", "0").err, "before must be a sequence")
}

func TestEventsShow(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	r.settle(t, r.accept(t, "r1", "return.updated"), inbox.StatusParked, "order was deleted")
	require.Contains(t, r.do(t, "events", "show", "1"), "Event 1: return.updated, parked\n")
	require.Equal(t, `{"of":"r1"}`+"\n", r.do(t, "events", "show", "1", "--payload"), "byte for byte")

	var event operator.EventJSON
	require.NoError(t, json.Unmarshal([]byte(r.do(t, "events", "show", "1", "-o", "json")), &event))
	require.Equal(t, "order was deleted", event.Reason)

	require.ErrorContains(t, command(t, r.env, "", "events", "show", "99").err, "99")
	require.ErrorContains(t, command(t, r.env, "", "events", "show", "redo/r1").err, "is not the sequence of an event")
	require.ErrorContains(t, command(t, r.env, "", "events", "show", "1", "-o", "xml").err, "--output must be table or json")
}

func TestEventsReplayBySequence(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	r.settle(t, r.accept(t, "r1", "return.updated"), inbox.StatusParked, "gone")
	out := r.do(t, "events", "replay", "1", "--reason", "it is back")
	require.Contains(t, out, "replay of 1")
	require.Contains(t, out, "Replayed 1 event.\n")
	require.Equal(t, []string{"redo/r1"}, r.bell.heard(), "what is pending again is rung")

	audit, err := r.inbox.Audit(t.Context(), "redo/r1", 10)
	require.NoError(t, err)
	require.Equal(t, "kim", audit[0].By)
	require.Equal(t, "it is back", audit[0].Reason)
}

func TestEventsReplayByFilterAsksFirst(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	for range 12 {
		r.settle(t, r.accept(t, "r1", "return.updated"), inbox.StatusParked, "gone")
	}
	pending := func() int {
		subject, err := r.inbox.Subject(t.Context(), "redo/r1")
		require.NoError(t, err)
		return subject.Pending
	}
	filter := []string{"events", "replay", "--status", "parked"}

	dry := r.do(t, append(filter, "--dry-run")...)
	require.Contains(t, dry, "Would replay 12 events.\n")
	require.Zero(t, pending())

	for _, answer := range []string{"", "n\n", "maybe\n"} {
		no := command(t, r.env, answer, filter...)
		require.ErrorContains(t, no.err, "nothing was replayed")
		end := "and 2 more, up to sequence 12\nReplay 12 events? [y/N] "
		if answer == "" { // no terminal: the error is not to stand behind the question
			end += "\n"
		}
		require.True(t, strings.HasSuffix(no.stderr, end), no.stderr)
		require.Empty(t, no.stdout)
	}
	require.Zero(t, pending())

	yes := command(t, r.env, "y\n", filter...)
	require.NoError(t, yes.err)
	require.Contains(t, yes.stdout, "Replayed 12 events.\n")
	require.Equal(t, 12, pending())

	var again operator.ReplayJSON
	require.NoError(t, json.Unmarshal([]byte(r.do(t, append(filter, "--yes", "-o", "json")...)), &again))
	require.Len(t, again.Events, 12)
	require.Equal(t, 24, pending())
}

// A copy may match the filter that made it: it must not be copied in turn.
func TestEventsReplayOverManyPagesEnds(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	const n = pageSize + 3
	for range n {
		r.settle(t, r.accept(t, "r1", "return.updated"), inbox.StatusDelivered, "")
	}
	require.Contains(t, r.do(t, "events", "replay", "--subject", "redo/r1", "--yes"), "Replayed "+strconv.Itoa(n)+" events.\n")
	require.Contains(t, r.do(t, "events", "replay", "--subject", "redo/r1", "--dry-run"),
		"Would replay "+strconv.Itoa(n)+" events; "+strconv.Itoa(n)+" events skipped, because pending or of no known subject.\n")
}

func TestEventsReplayNeedsToBeToldWhat(t *testing.T) {
	t.Parallel()
	r := startAPI(t, "")
	r.settle(t, r.accept(t, "r1", "return.updated"), inbox.StatusDelivered, "")
	r.accept(t, "r1", "return.updated")
	require.ErrorContains(t, command(t, r.env, "", "events", "replay").err, "say which events")
	require.ErrorContains(t, command(t, r.env, "", "events", "replay", "1", "--source", "redo").err, "not both")
	require.ErrorContains(t, command(t, r.env, "", "events", "replay", "0").err, "is not the sequence")
	require.ErrorContains(t, command(t, r.env, "", "events", "replay", "99").err, "99")
	require.ErrorContains(t, command(t, r.env, "", "events", "replay", "2").err, "pending")
	require.Contains(t, r.do(t, "events", "replay", "--status", "parked", "--yes"), "Nothing to replay.\n")
}
