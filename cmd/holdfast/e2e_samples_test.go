package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

const signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"

// recorded is a recorded request and what must come of it.
type recorded struct {
	name, source string

	Method   string            `json:"method"`
	Suffix   string            `json:"suffix"`
	Query    url.Values        `json:"query"`
	Headers  map[string]string `json:"headers"`
	Settings map[string]string `json:"settings"`
	body     []byte

	want struct {
		Events []struct {
			Type, Subject, Key, At string
			Related                []string
		} `json:"events"`
		Handshake *struct {
			Status      int    `json:"status"`
			ContentType string `json:"content_type"`
			Body        string `json:"body"`
		} `json:"handshake"`
		Error       string `json:"error"`
		SameEventAs string `json:"same_event_as"`
	}
}

// recordings reads all of a dialect. Each gets a source of its own, because many
// are the same event in another form.
func recordings(t *testing.T, dialect string) []*recorded {
	t.Helper()
	dir := filepath.Join("..", "..", "providers", "testdata", dialect)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var all []*recorded
	for i, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		r := &recorded{name: entry.Name(), source: dialect + strconv.Itoa(i)}
		readJSON(t, filepath.Join(dir, "dialect.json"), r)
		settings, headers := maps.Clone(r.Settings), r.Headers
		r.Settings, r.Headers = nil, nil
		readJSON(t, filepath.Join(dir, r.name, "request.json"), r)
		maps.Copy(settings, r.Settings)
		r.Settings = settings
		if r.Headers == nil {
			r.Headers = headers
		}
		readJSON(t, filepath.Join(dir, r.name, "want.json"), &r.want)
		r.body, err = os.ReadFile(filepath.Join(dir, r.name, "body.json"))
		if !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		all = append(all, r)
	}
	require.NotEmpty(t, all)
	for _, r := range all {
		for _, first := range all {
			if first.name == r.want.SameEventAs {
				r.source = first.source
			}
		}
	}
	return all
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, into), path)
}

func (r *recorded) sample() samples.Sample {
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	return samples.Sample{Method: r.Method, Suffix: r.Suffix, Query: r.Query, Header: header, Body: r.body}
}

func TestE2EEveryRecordedRequest(t *testing.T) {
	t.Parallel()
	destination := newRecorder(t, nil)
	settings := map[string]string{
		"HOLDFAST_ROUTES": "*=" + destination.url, "HOLDFAST_DESTINATION_SECRET": signingSecret,
	}
	var all []*recorded
	sources := map[string]bool{}
	for _, dialect := range providers.Dialects() {
		for _, r := range recordings(t, dialect.Name) {
			all = append(all, r)
			sources[r.source+"="+dialect.Name] = true
			prefix := ingress.SourceEnv(r.source) + "_"
			for name, value := range r.Settings {
				settings[prefix+name] = value
			}
			if dialect.Name == "redeam" {
				r.signAgain(t)
			}
		}
	}
	settings["HOLDFAST_SOURCES"] = strings.Join(slices.Collect(maps.Keys(sources)), ",")
	d := startDaemon(t, settings)
	// The originals come before those that are the same event.
	slices.SortStableFunc(all, func(a, b *recorded) int { return strings.Compare(a.want.SameEventAs, b.want.SameEventAs) })
	for _, r := range all {
		s := newSender(t, d, r.source)
		status, body, err := s.once(t.Context(), r.sample())
		require.NoError(t, err, r.source)
		r.requireAnswer(t, d, destination, status, body)
	}
	d.settled(t)
}

// requireAnswer checks the answer and all that follows from it.
func (r *recorded) requireAnswer(t *testing.T, d *daemon, destination *recorder, status int, body []byte) {
	t.Helper()
	name := r.source + " " + r.name
	if r.want.Handshake != nil {
		require.Equal(t, r.want.Handshake.Status, status, name)
		require.Equal(t, r.want.Handshake.Body, string(body), name)
		require.Empty(t, d.events(t, "source", r.source), name)
		return
	}
	if r.want.Error == "query" {
		require.Equal(t, http.StatusNotImplemented, status, name)
		require.Contains(t, string(body), `"Errors":[{`, name)
		require.Empty(t, d.events(t, "source", r.source), name)
		return
	}
	require.Equal(t, http.StatusOK, status, "%s: %s", name, body)
	var answer ingress.AcceptedJSON
	require.NoError(t, json.Unmarshal(body, &answer), name)
	for _, receipt := range answer.Accepted {
		require.Equal(t, r.want.SameEventAs != "", receipt.Duplicate, name)
	}
	if r.want.SameEventAs != "" {
		return
	}
	var payload []byte
	d.ask(t, "/api/v1/events/"+sequenceText(answer.Accepted[0].Sequence)+"/payload", nil, &payload)
	require.Equal(t, string(r.body), string(payload), name)
	if r.want.Error != "" {
		require.Len(t, answer.Accepted, 1, name)
		require.Equal(t, "quarantined", d.events(t, "source", r.source)[0].Status, name)
		return
	}
	require.Len(t, answer.Accepted, len(r.want.Events), name)
	stored := d.events(t, "source", r.source)
	require.Len(t, stored, len(r.want.Events), name)
	for i, receipt := range answer.Accepted {
		want := r.want.Events[i]
		at := stored[i].At.Time
		if want.At == "" {
			require.Zero(t, at, name)
		} else {
			moment, err := time.Parse(time.RFC3339, want.At)
			require.NoError(t, err)
			require.WithinDuration(t, moment, at, time.Microsecond, name)
		}
		r.requireDelivery(t, destination, receipt, i)
	}
}

// requireDelivery checks what an event's destination got.
func (r *recorded) requireDelivery(t *testing.T, destination *recorder, receipt ingress.ReceiptJSON, index int) {
	t.Helper()
	name, want := r.source+" "+r.name, r.want.Events[index]
	subject := r.source + "/" + want.Subject
	if len(subject) > 255 {
		sum := sha256.Sum256([]byte(want.Subject))
		subject = r.source + "/sha256:" + hex.EncodeToString(sum[:])
	}
	require.Equal(t, subject, receipt.Subject, name)
	var got delivery
	until(t, "the delivery of "+name, func() bool {
		for _, one := range destination.deliveries("") {
			if one.id == receipt.EventID {
				got = one
				return true
			}
		}
		return false
	})
	require.Equal(t, string(r.body), string(got.body), name)
	h := got.header
	var related []string
	for _, id := range want.Related {
		related = append(related, url.PathEscape(r.source+"/"+id))
	}
	for header, value := range map[string]string{
		"Content-Type":                  r.Headers["content-type"],
		activities.HeaderEventID:        receipt.EventID,
		activities.HeaderIdempotencyKey: receipt.EventID,
		activities.HeaderSequence:       sequenceText(receipt.Sequence),
		activities.HeaderSource:         r.source,
		activities.HeaderAttempt:        "1",
		activities.HeaderEventIndex:     strconv.Itoa(index),
		activities.HeaderRelated:        strings.Join(related, ","),
		activities.HeaderRedo:           "",
		activities.HeaderReplayOf:       "",
		"Webhook-Id":                    receipt.EventID,
	} {
		require.Equal(t, value, h.Get(header), "%s: %s", name, header)
	}
	require.Equal(t, subject, unescaped(t, h.Get(activities.HeaderSubject)), name)
	require.Equal(t, want.Type, unescaped(t, h.Get(activities.HeaderType)), name)
	requireSigned(t, got)
}
