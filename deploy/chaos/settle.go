package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

// settle waits until the inbox has no pending event, and returns how many events are
// not delivered then: what is still pending would be repeated, or lost.
func (r *rig) settle(ctx context.Context) (left int) {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	for {
		pending, err := r.count(ctx, inbox.StatusPending)
		if err == nil && pending == 0 {
			break
		}
		select {
		case <-ctx.Done():
			r.log.Error("not all events were settled in time", slog.Int("pending", pending), slog.Any("error", err))
			return max(pending, 1)
		case <-time.After(time.Second):
		}
	}
	for _, status := range []inbox.Status{inbox.StatusParked, inbox.StatusFailed, inbox.StatusQuarantined} {
		n, err := r.count(ctx, status)
		if err != nil {
			r.log.Error("the events cannot be counted", slog.Any("error", err))
			return max(left, 1)
		}
		left += n
	}
	return left
}

// count asks the operator API for the events of a status, a thousand at most.
func (r *rig) count(ctx context.Context, status inbox.Status) (int, error) {
	page, err := r.events(ctx, "status="+string(status))
	return len(page.Events), err
}

// tellWays logs how many events were settled by a workflow, and how many in the relief
// lane: a mode that had no effect would prove nothing.
func (r *rig) tellWays(ctx context.Context) {
	var byWorkflow, relieved int
	for after := int64(0); ; {
		page, err := r.events(ctx, "after="+strconv.FormatInt(after, 10))
		if err != nil {
			r.log.Error("the events cannot be counted", slog.Any("error", err))
			return
		}
		for _, e := range page.Events {
			switch {
			case inbox.IsRelief(e.Run):
				relieved++
			case e.Run != "":
				byWorkflow++
			}
		}
		if page.NextAfter == nil {
			break
		}
		after = *page.NextAfter
	}
	r.log.Info("settled", slog.Int("by_workflows", byWorkflow), slog.Int("in_the_relief_lane", relieved))
}

// events asks the operator API for a page of events.
func (r *rig) events(ctx context.Context, filter string) (page operator.EventsJSON, err error) {
	url := fmt.Sprintf("%s%s?limit=1000&%s", r.fleet.Ingresses[0].Operator, operator.PathEvents, filter)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // our own fleet
	if err != nil {
		return page, err
	}
	answer, err := http.DefaultClient.Do(request) //nolint:gosec // our own fleet
	if err != nil {
		return page, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return page, fmt.Errorf("the operator API answers %s", answer.Status)
	}
	return page, json.NewDecoder(answer.Body).Decode(&page)
}

// exits are the processes that ended by themselves.
func (r *rig) exits() map[string]int {
	all := map[string]int{}
	members := []fleet.Member{r.fleet.Postgres, r.fleet.Temporal}
	for _, h := range append(r.fleet.Ingresses, r.fleet.Workers()...) {
		members = append(members, h)
	}
	for _, m := range members {
		if n := m.Exits(); n > 0 {
			all[m.Name()] = n
		}
	}
	return all
}

// keep writes the figures to a file of their own and returns its path.
func keep(f verdict.Figures, folder string, mode relief.Mode) (string, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil { //nolint:gosec // the folder is the user's own choice
		return "", err
	}
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, fmt.Sprintf("%s-seed-%d-relief-%s.json", time.Now().UTC().Format("20060102T150405"), f.Seed, mode))
	return path, os.WriteFile(path, append(content, '\n'), 0o600) //nolint:gosec // the folder is the user's own choice
}
