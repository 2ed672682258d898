package main

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/ingress"
)

// group is several ingresses and workers over one PostgreSQL inbox.
type group struct {
	ingresses, workers []*daemon
	destination        *recorder
	source             string
}

// newGroup makes one whose processes are not started.
func newGroup(t *testing.T, source, inbox string, ingresses, workers int, more map[string]string) *group {
	t.Helper()
	g := &group{destination: newRecorder(t, nil), source: source}
	settings := map[string]string{"HOLDFAST_INBOX": inbox}
	maps.Copy(settings, more)
	settings = redoSource(source, g.destination.url, settings)
	for range ingresses {
		g.ingresses = append(g.ingresses, newDaemon(t, settings, "ingress"))
	}
	for range workers {
		// A worker need not see the secrets of sources.
		own := maps.Clone(settings)
		delete(own, "HOLDFAST_SOURCES")
		delete(own, ingress.SourceEnv(source)+"_SECRET")
		g.workers = append(g.workers, newDaemon(t, own, "worker"))
	}
	return g
}

func (g *group) start(t *testing.T) {
	t.Helper()
	for _, d := range append(g.workers[:len(g.workers):len(g.workers)], g.ingresses...) {
		d.start(t)
	}
}

// sender is one that begins with the n-th ingress, as a load balancer has it.
func (g *group) sender(t *testing.T, n int) *sender {
	t.Helper()
	s := newSender(t, g.ingresses[n], g.source)
	for i := range g.ingresses[1:] {
		s.others = append(s.others, g.ingresses[(n+1+i)%len(g.ingresses)].at)
	}
	return s
}

// load sends to many subjects through every ingress, and returns the receipts.
func (g *group) load(ctx context.Context, t *testing.T, subjects, each int) func() map[string][]ingress.ReceiptJSON {
	t.Helper()
	all := make([]map[string][]ingress.ReceiptJSON, len(g.ingresses))
	var work errgroup.Group
	for n := range g.ingresses {
		s := g.sender(t, n)
		work.Go(func() (err error) {
			all[n], err = s.all(ctx, manySubjects("r"+strconv.Itoa(n)+"-", subjects), each, 8)
			return err
		})
	}
	return func() map[string][]ingress.ReceiptJSON {
		require.NoError(t, work.Wait())
		receipts := map[string][]ingress.ReceiptJSON{}
		for _, one := range all {
			maps.Copy(receipts, one)
		}
		return receipts
	}
}

// knock sends one webhook, once.
func (g *group) knock(t *testing.T) (status int, header http.Header) {
	t.Helper()
	webhooks, _ := g.ingresses[0].at.get()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, webhooks+"/webhooks/"+g.source,
		strings.NewReader(`{"type":"return.updated","at":"2026-01-01T00:00:00Z","return":{"id":"knock"}}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+testSecret)
	r.Header.Set("Content-Type", "application/json")
	answer, err := quickClient(t).Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	return answer.StatusCode, answer.Header
}
