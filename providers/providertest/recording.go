package providertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

// recording is a request with what a receiver needs to know of it.
type recording struct {
	Method     string            `json:"method"`
	Suffix     string            `json:"suffix"`
	Query      url.Values        `json:"query"`
	Headers    map[string]string `json:"headers"`
	ReceivedAt time.Time         `json:"received_at"`

	// Settings are those of the source, by the end of their environment name.
	Settings map[string]string `json:"settings"`
	// Proofs are the places of what proves it genuine.
	Proofs []string `json:"proofs"`
	// AnyProof tells that one proof is enough if the others are absent.
	AnyProof bool `json:"any_proof"`
	// Secret is the setting the proof is made with, Previous that of the one before.
	Secret   string `json:"secret"`
	Previous string `json:"previous"`

	body []byte
}

// want is what a receiver must make of a recording.
type want struct {
	Events []event `json:"events"`
	// Handshake is the answer to an endpoint test.
	Handshake *answer `json:"handshake"`
	// Error is "not understood" or "query": genuine, but no event.
	Error string `json:"error"`
	// SameEventAs names a case that the same event was first delivered by.
	SameEventAs string `json:"same_event_as"`
}

type event struct {
	Type    string   `json:"type"`
	Subject string   `json:"subject"`
	Key     string   `json:"key"`
	KeyLife string   `json:"key_life"`
	Digest  string   `json:"digest"`
	At      string   `json:"at"`
	Related []string `json:"related"`
}

type answer struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
}

func recorded(events []providers.Event) []event {
	list := make([]event, 0, len(events))
	for _, e := range events {
		r := event{Type: e.Type, Subject: e.Subject, Key: e.Key, Digest: e.Digest, Related: e.Related}
		if e.KeyLife != 0 {
			r.KeyLife = e.KeyLife.String()
		}
		if !e.At.IsZero() {
			r.At = e.At.Format(time.RFC3339Nano)
		}
		list = append(list, r)
	}
	return list
}

// cases lists the folders of a dialect's recordings.
func cases(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err, "a dialect needs a folder of recorded requests")
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	require.NotEmpty(t, names, "there are no recorded requests in %s", dir)
	return names
}

func read(t *testing.T, dir, name string) (recording, want) {
	t.Helper()
	var r recording
	decodeFile(t, filepath.Join(dir, "dialect.json"), &r)
	settings, headers := maps.Clone(r.Settings), r.Headers
	r.Headers = nil
	decodeFile(t, filepath.Join(dir, name, "request.json"), &r)
	maps.Copy(settings, r.Settings)
	r.Settings = settings
	if r.Headers == nil {
		r.Headers = headers
	}

	body, err := os.ReadFile(filepath.Join(dir, name, "body.json"))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	r.body = body
	var w want
	decodeFile(t, filepath.Join(dir, name, "want.json"), &w)
	return r, w
}

func decodeFile(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(into), path)
}

// request makes the recorded request, fresh for each caller.
func (r recording) request() providers.Request {
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	query := url.Values{}
	for name, values := range r.Query {
		query[name] = append([]string(nil), values...)
	}
	return providers.Request{
		Method:     r.Method,
		Header:     header,
		Query:      query,
		Suffix:     r.Suffix,
		Body:       bytes.Clone(r.body),
		ReceivedAt: r.ReceivedAt,
	}
}
