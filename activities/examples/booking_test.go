package examples_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/activities/examples"
)

func TestRedeamFetchesTheTruth(t *testing.T) {
	t.Parallel()
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = w.Write([]byte(`{"product":{}}`))
	}))
	t.Cleanup(server.Close)
	b := setup(t)
	h := examples.Redeam(b.log, &examples.BookingAPI{Client: server.Client(), Base: server.URL + "/v1.2", Key: "k3y", Secret: "s3cret"})
	e := sample(t, "redeam", "product.updated")
	require.NoError(t, h.Handle(t.Context(), e))
	require.Equal(t, "/v1.2/suppliers/b4f6d0c8-1e2a-4c55-9f0d-77a1c3e5d901/products/6e0a9b12-3c4d-4e5f-8a6b-90c1d2e3f405", got.URL.Path)
	require.Equal(t, "k3y", got.Header.Get("X-API-Key"))
	require.Equal(t, "s3cret", got.Header.Get("X-API-Secret"))
	require.Equal(t, e.ID, got.Header.Get("X-Request-ID"))
	require.InEpsilon(t, float64(len(`{"product":{}}`)), b.line(t)["bytes"], 0)
}

func TestBookingAPIAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]activities.Class{
		401: activities.CriticalFail, 403: activities.CriticalFail, 404: activities.Parked, 410: activities.Parked,
		429: activities.Retryable, 500: activities.Retryable, 503: activities.Retryable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			http.Error(w, "nothing to repeat", status)
		}))
		t.Cleanup(server.Close)
		api := &examples.BookingAPI{Client: server.Client(), Base: server.URL, Key: "k3y", Secret: "s3cret"}
		_, err := api.Fetch(t.Context(), "/suppliers/1", "id")
		require.Equal(t, want, activities.Classify(err), "%d", status)
		require.NotContains(t, err.Error(), "k3y")
		require.NotContains(t, err.Error(), "nothing to repeat")
		server.Close()
		_, err = api.Fetch(t.Context(), "/suppliers/1", "id")
		require.Equal(t, activities.Retryable, activities.Classify(err), "nobody listens")
		require.NotContains(t, err.Error(), "s3cret")
	}
}
