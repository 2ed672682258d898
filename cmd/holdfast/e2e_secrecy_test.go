package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

const (
	// private begins every word that may be in the inbox and at the destination only.
	private = "zq7private"
	// openID is a provider's id of a source that hides none.
	openID = "openid4711"
)

// confided makes a webhook with something private wherever a sender can put it.
func confided(t *testing.T, dialect string, o samples.Options) samples.Sample {
	t.Helper()
	sample, err := samples.Make(dialect, o)
	require.NoError(t, err)
	var body map[string]any
	require.NoError(t, json.Unmarshal(sample.Body, &body))
	body["confided"] = private + "-body"
	sample.Body, err = json.Marshal(body)
	require.NoError(t, err)
	return confide(sample)
}

// confide adds to a webhook's header and query.
func confide(sample samples.Sample) samples.Sample {
	sample.Header = sample.Header.Clone()
	sample.Header.Set("X-Confided", private+"-header")
	sample.Header.Set("User-Agent", private+"-agent")
	sample.Header.Set("Cookie", "session="+private+"-cookie")
	sample.Query = url.Values{"confided": {private + "-query"}}
	return sample
}

// tellTale is a destination that fails in every way, and each time with something
// private in its answer.
func tellTale(t *testing.T) *recorder {
	t.Helper()
	var mu sync.Mutex
	tries := map[string]int{}
	r := newRecorder(t, func(got delivery) answer {
		mu.Lock()
		defer mu.Unlock()
		tries[got.subject]++
		if tries[got.subject] > 1 {
			return answer{}
		}
		switch got.header.Get("Holdfast-Source") {
		case "coyredo":
			return answer{status: http.StatusServiceUnavailable}
		case "coyredox":
			return answer{status: http.StatusForbidden}
		case "coyredeam":
			return answer{status: http.StatusGone}
		case "coysocialboards":
			return answer{reset: true}
		}
		return answer{status: http.StatusTemporaryRedirect}
	})
	r.header = http.Header{"X-Confided": {private + "-answer"}, "Location": {"http://" + private + "-answer.example/"}}
	r.says = private + "-answer"
	return r
}

func TestE2ENothingPrivateLeaks(t *testing.T) {
	t.Parallel()
	destination := tellTale(t)
	count := 0
	settings, options := everyProvider("coy", func() string { count++; return fmt.Sprintf("%s-secret-%d", private, count) })
	for _, dialect := range providers.Dialects() {
		settings[ingress.SourceEnv("coy"+dialect.Name)+"_SUBJECT_HASH_KEY"] = private + "-pepper"
	}
	settings["HOLDFAST_SOURCES"] += ",open=redo"
	settings["HOLDFAST_SOURCE_OPEN_SECRET"] = private + "-secret-open"
	settings["HOLDFAST_OPERATOR_TOKEN"] = private + "-operator-token"
	settings["HOLDFAST_DESTINATION_SECRET"] = signingSecret
	settings["HOLDFAST_PARK_STATUSES"] = "410"
	target, err := url.Parse(destination.url)
	require.NoError(t, err)
	target.User, target.RawQuery = url.UserPassword("holdfast", private+"-password"), "key="+private+"-url-key"
	settings["HOLDFAST_ROUTES"] = "*=" + target.String()
	d := startDaemon(t, settings)
	shell := newShell(d)

	confideEverything(t, d, options)
	until(t, "trouble of every kind", func() bool {
		return len(decoded[operator.SubjectsJSON](t, shell, "subjects", "list", "--state", "held").Subjects) == 2 &&
			len(decoded[operator.EventsJSON](t, shell, "events", "list", "--status", "delivered").Events) == 5
	})
	held := decoded[operator.SubjectsJSON](t, shell, "subjects", "list", "--state", "held").Subjects
	spill := &spill{}
	for _, subject := range held {
		spill.addDetails(t, subject.ID)
		shell.do(t, "subjects", "resume", subject.ID, "--reason", "the destination is back")
	}
	until(t, "everything to be settled", func() bool {
		return len(decoded[operator.EventsJSON](t, shell, "events", "list", "--status", "pending").Events) == 0
	})
	require.Len(t, decoded[operator.EventsJSON](t, shell, "events", "list", "--status", "parked").Events, 1)
	require.Len(t, decoded[operator.EventsJSON](t, shell, "events", "list", "--status", "quarantined").Events, 2)

	for _, one := range destination.deliveries("") {
		require.Contains(t, string(one.body), private+"-body", "it was there to be leaked")
		delete(one.header, "Authorization") // the destination's own password
		spill.add("header of a delivery", []byte(fmt.Sprint(one.header)))
	}
	_, api := d.at.get()
	spill.add("metrics", fetch(t, api+"/metrics"))
	spill.addRuns(t, "coyredo", "coyredox", "coyredeam", "coysocialboards", "open")
	require.Zero(t, d.stop(t, stopSignal))
	spill.add("log", d.printed(t))
	spill.requireNothingOf(t, private)
	spill.requireNothingOf(t, strings.TrimPrefix(signingSecret, "whsec_"))
	require.True(t, spill.has(openID, "log") && spill.has(openID, "history"), "what is not private is found")
}

// confideEverything sends to every source what is accepted, what is not
// understood and what is not genuine.
func confideEverything(t *testing.T, d *daemon, options map[string]samples.Options) {
	t.Helper()
	send := func(dialect, source string, sample samples.Sample, want int) {
		t.Helper()
		s := newSender(t, d, source)
		status, body, err := s.once(t.Context(), sample)
		require.NoError(t, err)
		require.Equal(t, want, status, "%s: %s", source, body)
		require.NotContains(t, string(body), private)
	}
	for _, dialect := range providers.Dialects() {
		source, o := "coy"+dialect.Name, options[dialect.Name]
		o.Subject = private + "patient"
		if dialect.Name == "redox" {
			o.Type = "PatientAdmin:PatientMerge" // with a related subject
		}
		for n := range 2 {
			o.N = n
			send(dialect.Name, source, confided(t, dialect.Name, o), http.StatusOK)
		}
		if dialect.Name == "socialboards" {
			forged := samples.Sample{Method: http.MethodGet, Header: http.Header{}, Query: url.Values{"challenge": {"1"}, "verifyToken": {private + "-wrong"}}}
			send(dialect.Name, source, forged, http.StatusUnauthorized)
			continue
		}
		o.Secret += "-wrong"
		send(dialect.Name, source, confided(t, dialect.Name, o), http.StatusUnauthorized)
	}
	for _, dialect := range []string{"redo", "redox"} {
		o := options[dialect]
		o.Body = []byte(private + "-body that is no JSON")
		sample, err := samples.Make(dialect, o)
		require.NoError(t, err)
		send(dialect, "coy"+dialect, confide(sample), http.StatusOK)
	}
	open := samples.Options{Secret: private + "-secret-open", Subject: openID, At: time.Now()}
	send("redo", "open", confided(t, "redo", open), http.StatusOK)
}

func fetch(t *testing.T, address string) []byte {
	t.Helper()
	var raw []byte
	base, path, _ := strings.Cut(strings.TrimPrefix(address, "http://"), "/")
	client := &operatorClient{base: "http://" + base, http: quickClient(t)}
	require.NoError(t, client.get(t.Context(), "/"+path, nil, &raw))
	require.NotEmpty(t, raw)
	return raw
}
