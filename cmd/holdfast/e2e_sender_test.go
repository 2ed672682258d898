package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// address is where a daemon listens now: another place after each start.
type address struct {
	mu            sync.Mutex
	webhooks, api string
}

func (a *address) set(webhooks, api string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.webhooks, a.api = webhooks, api
}

func (a *address) get() (webhooks, api string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.webhooks, a.api
}

func sequenceText(sequence int64) string { return strconv.FormatInt(sequence, 10) }

// sender behaves as a real one does: it waits for the answer to an event before it
// sends the subject's next, and repeats what was not answered with a 2xx.
type sender struct {
	at      *address
	others  []*address // of the same fleet, tried in turn when one does not answer with a 2xx
	dialect string
	source  string
	options samples.Options
	client  *http.Client
	// answered is called after each 200.
	answered func()
}

const testSecret = "s3cret-of-the-sender"

// newSender makes one for a Redo source. Each has a series of its own.
func newSender(t *testing.T, d *daemon, source string) *sender {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return &sender{
		at: d.at, dialect: "redo", source: source, options: samples.Options{Secret: testSecret, At: time.Now()},
		client: &http.Client{Transport: transport, Timeout: 20 * time.Second}, answered: func() {},
	}
}

// redoSource is the settings of one Redo source that sends to a destination.
func redoSource(source, target string, more map[string]string) map[string]string {
	settings := map[string]string{
		"HOLDFAST_SOURCES":                    source + "=redo",
		ingress.SourceEnv(source) + "_SECRET": testSecret,
		"HOLDFAST_ROUTES":                     "*=" + target,
	}
	maps.Copy(settings, more)
	return settings
}

// send sends events from-th to before the to-th of a subject, one after the other.
func (s *sender) send(t *testing.T, subject string, from, to int) []ingress.ReceiptJSON {
	t.Helper()
	receipts, err := s.series(t.Context(), subject, from, to)
	require.NoError(t, err)
	return receipts
}

func (s *sender) series(ctx context.Context, subject string, from, to int) ([]ingress.ReceiptJSON, error) {
	var receipts []ingress.ReceiptJSON
	for n := from; n < to; n++ {
		options := s.options
		options.Subject, options.N = subject, n
		sample, err := samples.Make(s.dialect, options)
		if err != nil {
			return nil, err
		}
		one, err := s.insist(ctx, sample)
		if err != nil {
			return nil, fmt.Errorf("event %d of %s: %w", n, subject, err)
		}
		receipts = append(receipts, one...)
		s.answered()
	}
	return receipts, nil
}

// all sends a number of events to each subject, a number of subjects at a time.
func (s *sender) all(ctx context.Context, subjects []string, each, together int) (map[string][]ingress.ReceiptJSON, error) {
	receipts := map[string][]ingress.ReceiptJSON{}
	var mu sync.Mutex
	var work errgroup.Group
	work.SetLimit(together)
	for _, subject := range subjects {
		work.Go(func() error {
			got, err := s.series(ctx, subject, 0, each)
			mu.Lock()
			defer mu.Unlock()
			receipts[s.source+"/"+subject] = got
			return err
		})
	}
	return receipts, work.Wait()
}

// insist sends a webhook until it is answered with a 2xx. Anything but a 503 or no
// answer is an error.
func (s *sender) insist(ctx context.Context, sample samples.Sample) ([]ingress.ReceiptJSON, error) {
	for try := 0; ; try++ {
		status, body, err := s.try(ctx, s.turn(try), sample)
		switch {
		case err == nil && status == http.StatusOK:
			var answer ingress.AcceptedJSON
			return answer.Accepted, json.Unmarshal(body, &answer)
		case err == nil && status != http.StatusServiceUnavailable:
			return nil, fmt.Errorf("status %d: %s", status, body)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// turn is where a try goes.
func (s *sender) turn(try int) *address {
	all := append([]*address{s.at}, s.others...)
	return all[try%len(all)]
}

// once makes one request.
func (s *sender) once(ctx context.Context, sample samples.Sample) (status int, body []byte, err error) {
	return s.try(ctx, s.at, sample)
}

func (s *sender) try(ctx context.Context, at *address, sample samples.Sample) (status int, body []byte, err error) {
	webhooks, _ := at.get()
	target := webhooks + "/webhooks/" + s.source
	if sample.Suffix != "" {
		target += "/" + sample.Suffix
	}
	if len(sample.Query) > 0 {
		target += "?" + sample.Query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, sample.Method, target, bytes.NewReader(sample.Body))
	if err != nil {
		return 0, nil, err
	}
	r.Header = sample.Header.Clone()
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}
