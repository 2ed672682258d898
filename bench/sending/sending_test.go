package sending_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench/sending"
	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// send makes a request to a receiver of one answer.
func send(t *testing.T, sample samples.Sample, receiver http.HandlerFunc) sending.Answer {
	t.Helper()
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	s := sending.New(1, time.Minute)
	t.Cleanup(s.Close)
	return s.Send(t.Context(), server.URL+"/webhooks/redo?a=b", sample)
}

func sample() samples.Sample {
	return samples.Sample{Method: http.MethodPost, Header: http.Header{"X": {"y"}}, Body: []byte("body")}
}

func TestAnAnswerIsWhatItMeansToASender(t *testing.T) {
	t.Parallel()
	const receipts = `{"accepted":[{"event_id":"e1","sequence":7,"subject":"redo/r1","duplicate":true}]}`
	for name, c := range map[string]struct {
		status          int
		retry           string
		accepted, later bool
		wait            time.Duration
	}{
		"Accepted":             {status: 200, accepted: true},
		"NotGenuine":           {status: 401},
		"Redirected":           {status: 307},
		"TooMany":              {status: 429, later: true, retry: "2", wait: 2 * time.Second},
		"OverloadedForNow":     {status: 503, later: true, retry: "1", wait: time.Second},
		"RetryAfterIsNoNumber": {status: 503, later: true, retry: "soon"},
		"RetryAfterIsNegative": {status: 503, later: true, retry: "-1"},
		"AGatewaysTrouble":     {status: 502, later: true},
		"AQuery":               {status: 501},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := send(t, sample(), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.retry)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(receipts))
			})
			require.NoError(t, a.Err)
			require.Equal(t, c.status, a.Status)
			require.Equal(t, c.accepted, a.Accepted())
			require.Equal(t, c.later, a.Later())
			require.Equal(t, c.wait, a.Retry)
			require.Equal(t, receipts, string(a.Body))
			require.Len(t, a.Receipts, map[bool]int{true: 1}[c.accepted])

			var known verdict.Sending
			a.Note(&known)
			require.Equal(t, 1, known.Requests)
			require.Equal(t, map[bool]int{false: 1}[c.accepted], known.Refused)
			if c.accepted {
				require.Equal(t, []verdict.Answer{{At: a.At, Took: a.At.Sub(a.Begun), EventID: "e1", Sequence: 7, Duplicate: true}}, known.Answers)
			}
		})
	}
}

func TestNoAnswerIsNoRefusal(t *testing.T) {
	t.Parallel()
	for name, receiver := range map[string]http.HandlerFunc{
		"NoneAtAll": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"CutOffInTheMiddle": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := send(t, sample(), receiver)
			require.Error(t, a.Err)
			require.Zero(t, a.Status)
			require.True(t, a.Later())
			require.False(t, a.Accepted())
			var known verdict.Sending
			a.Note(&known)
			require.Equal(t, verdict.Sending{Requests: 1, Unanswered: 1}, known)
		})
	}
}

func TestARequestIsTheSamples(t *testing.T) {
	t.Parallel()
	s := sample()
	s.Suffix, s.Query = "rate", url.Values{"c": {"d"}}
	a := send(t, s, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/webhooks/redo/rate?a=b&c=d" || r.Header.Get("X") != "y" || r.ContentLength != 4 {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	require.Equal(t, 200, a.Status)
	require.Empty(t, a.Receipts)
}

func TestInsistingComesLaterAndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		sending.Insist(t.Context(), func(try int) (bool, time.Duration) {
			require.Len(t, at, try)
			at = append(at, time.Since(began))
			// An hour is too long for who wants it to be accepted.
			return try == 8, map[int]time.Duration{0: 2 * time.Second, 7: time.Hour}[try]
		})
		require.Equal(t, 2*time.Second, at[1]-at[0])
		require.Equal(t, 3*time.Second, at[8]-at[7])
		for try := 2; try < 8; try++ {
			longest := min(250*time.Millisecond<<(try-1), 3*time.Second)
			require.GreaterOrEqual(t, at[try]-at[try-1], longest/2)
			require.Less(t, at[try]-at[try-1], longest)
		}
	})
}

func TestInsistingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		sending.Insist(ctx, func(int) (bool, time.Duration) {
			if tries++; tries == 3 {
				cancel()
			}
			return false, 0
		})
		require.Equal(t, 3, tries)
	})
}
