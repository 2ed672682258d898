package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-project/holdfast/bench"
	"github.com/holdfast-project/holdfast/deploy/fleet"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

var silence = slog.New(slog.DiscardHandler)

// daemon is a running `holdfast all`.
type daemon struct {
	*child
	door, operator string // URLs
	secret         string // of all its sources
	program        string
	client         *http.Client
}

// route says which address gets the events of a source.
type route struct{ source, address string }

// daemon starts a holdfast over an inbox. sources are those that it receives, of Redo's
// dialect. What is to be delivered goes by the routes.
func (s *scale) daemon(ctx context.Context, inbox string, sources []string, routes []route) (*daemon, error) {
	door, err := fleet.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	api, err := fleet.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	d := &daemon{
		door: "http://" + local(door) + "/webhooks/", operator: "http://" + local(api), secret: rand.Text(), program: s.site.holdfast,
		client: &http.Client{Timeout: 30 * time.Second},
	}
	s.site.started++
	name := "holdfast-" + strconv.Itoa(s.site.started)
	settings := map[string]string{
		"HOLDFAST_INBOX": inbox, "HOLDFAST_RELIEF": string(s.relief), "TEMPORAL_ADDRESS": s.site.address,
		"HOLDFAST_LISTEN": local(door), "HOLDFAST_OPERATOR_LISTEN": local(api),
		// Nobody else's runs in this Temporal come to this process.
		"HOLDFAST_TASK_QUEUE": name,
	}
	var named, to []string
	for _, source := range sources {
		named = append(named, source+"=redo")
		settings[ingress.SourceEnv(source)+"_SECRET"] = d.secret
	}
	for _, r := range routes {
		to = append(to, r.source+"/*=http://"+r.address)
	}
	settings["HOLDFAST_SOURCES"], settings["HOLDFAST_ROUTES"] = strings.Join(named, ","), strings.Join(to, ",")
	if d.child, err = s.site.start(name, settings, s.site.holdfast, "all"); err != nil {
		return nil, err
	}
	if err := d.ready(ctx, d.answers); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

func (d *daemon) answers(ctx context.Context) error {
	_, err := d.get(ctx, "/readyz")
	return err
}

func (d *daemon) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.operator+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s says %s", path, answer.Status)
	}
	return content, err
}

// resume ends the pause of a subject, as an operator does.
func (d *daemon) resume(ctx context.Context, subject string) error {
	resume := exec.CommandContext(ctx, d.program, "subjects", "resume", subject, "--operator-url", d.operator) //nolint:gosec // the user names it
	if output, err := resume.CombinedOutput(); err != nil {
		return fmt.Errorf("resume the subject: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

// load are the options of a bench that sends to a source.
func (d *daemon) load(source, listen string, w bench.Workload) bench.Options {
	return bench.Options{
		Provider: "redo", Signing: samples.Options{Secret: d.secret}, URLs: []string{d.door + source}, Listen: listen,
		FirstPatience: readyPatience, GiveUp: deliveryPatience, Workload: w,
	}
}
