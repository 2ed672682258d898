package activities_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/providers"
)

// destination is a real HTTP server and the handler that posts to it.
func destination(t *testing.T, c activities.Config, serve http.HandlerFunc) activities.Handler {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	c.DestinationConcurrency = 4
	d := activities.NewDestinations(c, slog.New(slog.DiscardHandler))
	t.Cleanup(d.Close)
	target, err := url.Parse(server.URL + "/hooks")
	require.NoError(t, err)
	return d.HTTP(target)
}

func sampleEvent() activities.Event {
	return activities.Event{
		ID: "0198-a", Sequence: 42, Subject: "redox/MR:Å 1", Source: "redox", Type: "PatientAdmin:PatientMerge", Attempt: 3, Index: 1,
		Related: []string{"redox/MR:a,b"}, Redo: 2, ReplayOf: 7, ContentType: "application/json; charset=utf-8", Body: []byte("{ \"a\" : 1 }\n"),
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	secret := providers.Secret("whsec_" + base64.StdEncoding.EncodeToString(key))
	var got *http.Request
	var body []byte
	h := destination(t, activities.Config{DestinationSecret: secret}, func(_ http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		body, _ = io.ReadAll(r.Body)
	})
	require.NoError(t, h.Handle(t.Context(), sampleEvent()))

	require.Equal(t, "{ \"a\" : 1 }\n", string(body), "the body is delivered byte for byte")
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Holdfast-Event-Id": "0198-a", "Idempotency-Key": "0198-a",
		"Holdfast-Subject": "redox%2FMR:%C3%85%201", "Holdfast-Sequence": "42", "Holdfast-Source": "redox",
		"Holdfast-Type": "PatientAdmin:PatientMerge", "Holdfast-Attempt": "3", "Holdfast-Event-Index": "1",
		"Holdfast-Related-Subjects": "redox%2FMR:a%2Cb", "Holdfast-Redo": "2", "Holdfast-Replay-Of": "7", "Webhook-Id": "0198-a",
	} {
		require.Equal(t, want, got.Header.Get(name), name)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("0198-a." + got.Header.Get("Webhook-Timestamp") + "." + string(body)))
	require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), got.Header.Get("Webhook-Signature"))
}

func TestPlainDeliveryHasNoHeadersThatDoNotApply(t *testing.T) {
	t.Parallel()
	var got http.Header
	h := destination(t, activities.Config{}, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	require.NoError(t, h.Handle(t.Context(), activities.Event{ID: "a", Sequence: 1, Subject: "redo/r1", Source: "redo", Type: "return.created", Attempt: 1}))
	require.Equal(t, "redo/r1", got.Get("Holdfast-Subject"))
	for _, name := range []string{"Holdfast-Redo", "Holdfast-Replay-Of", "Holdfast-Related-Subjects", "Webhook-Signature"} {
		require.NotContains(t, got, name)
	}
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for status := range 600 {
		if status < 200 || http.StatusText(status) == "" {
			continue
		}
		h := destination(t, activities.Config{ParkStatuses: []int{410, 422}}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		err := h.Handle(t.Context(), sampleEvent())
		switch {
		case status < 300:
			require.NoError(t, err, status)
		case status == 408, status == 425, status == 429, status >= 500:
			require.Equal(t, activities.Retryable, activities.Classify(err), status)
		case status == 410, status == 422:
			require.Equal(t, activities.Parked, activities.Classify(err), status)
		default:
			require.Equal(t, activities.CriticalFail, activities.Classify(err), "%d: redirects are not followed", status)
		}
	}
}

func TestErrorsNameTheHandlerAndNoSecret(t *testing.T) {
	t.Parallel()
	d := activities.NewDestinations(activities.Config{DestinationConcurrency: 1}, slog.New(slog.DiscardHandler))
	target, err := url.Parse("http://user:hunter2@127.0.0.1:1/hooks?token=hunter2")
	require.NoError(t, err)
	h := d.HTTP(target)
	require.Equal(t, "POST 127.0.0.1:1/hooks", h.Name)
	err = h.Handle(t.Context(), sampleEvent())
	require.Equal(t, activities.Retryable, activities.Classify(err))
	require.ErrorContains(t, err, "POST 127.0.0.1:1/hooks: connection refused")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestMarksSurviveWrapping(t *testing.T) {
	t.Parallel()
	cause := errors.New("no such order")
	require.Equal(t, activities.Parked, activities.Classify(activities.Park(cause)))
	require.Equal(t, activities.CriticalFail, activities.Classify(errors.Join(activities.Critical(cause))))
	require.Equal(t, activities.Retryable, activities.Classify(activities.RetryAfter(time.Minute, cause)))
	require.Equal(t, activities.Retryable, activities.Classify(cause))
	require.ErrorIs(t, activities.Park(cause), cause)
}
