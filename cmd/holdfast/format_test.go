package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func TestRelative(t *testing.T) {
	t.Parallel()
	require.Equal(t, "-", relative(time.Time{}, noon))
	for d, want := range map[time.Duration]string{
		0:                              "now",
		400 * time.Millisecond:         "now",
		-12 * time.Second:              "12s ago",
		-3*time.Minute - 7*time.Second: "3m7s ago",
		59*time.Minute + 59*time.Second + 700*time.Millisecond: "in 1h0m",
		-26 * time.Hour:     "1d2h ago",
		40 * 24 * time.Hour: "in 40d0h",
	} {
		require.Equal(t, want, relative(noon.Add(d), noon), d)
	}
}

func TestMomentIsInTheReadersZone(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2026-03-14T11:58:30+01:00 (1m30s ago)", moment(noon.Add(-90*time.Second).UTC(), noon))
	require.Equal(t, "-", moment(time.Time{}, noon))
}

// What a sender put into a type or an id must not drive the reader's terminal.
func TestCleanTakesControlCharactersOut(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a?[31mb c?d??é€", clean("a\x1b[31mb\tc\x00d\u202e\x9bé€"))
	require.Equal(t, "two lines", clean("two\nlines"))
}

func TestShortCutsByLetters(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ééé", short("ééé", 3))
	require.Equal(t, "éé…", short("éééé", 3))
}

func TestQuotedIsOneWordOfAShell(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"redo/r1":             "redo/r1",
		"redo/it's; rm -rf /": `'redo/it'\''s; rm -rf /'`,
		"redo/$(id)":          "'redo/$(id)'",
		"-o":                  "'-o'",
		"":                    "''",
	} {
		require.Equal(t, want, quoted(given))
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":                          "",
		"2h":                        "2026-03-14T09:00:00Z",
		"0s":                        "2026-03-14T11:00:00Z",
		"2026-03-14T10:00:00+01:00": "2026-03-14T09:00:00Z",
	} {
		got, err := ago("--from", given, noon)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, given := range []string{"-2h", "yesterday", "2026-03-14"} {
		_, err := ago("--from", given, noon)
		require.ErrorContains(t, err, "--from must be a time such as")
	}
}

func TestDialable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		":8080":          "127.0.0.1:8080",
		"0.0.0.0:8080":   "127.0.0.1:8080",
		"[::]:8080":      "127.0.0.1:8080",
		"[::1]:8080":     "[::1]:8080",
		"localhost:8081": "localhost:8081",
	} {
		require.Equal(t, want, dialable(given))
	}
}

func TestCounted(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0 events, 1 event, 2 events", strings.Join([]string{counted(0, "event"), counted(1, "event"), counted(2, "event")}, ", "))
}
