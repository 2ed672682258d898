package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// sent is the ingress's answer to one webhook.
type sent struct {
	Accepted []struct {
		EventID   string `json:"event_id"`
		Sequence  int64  `json:"sequence"`
		Subject   string `json:"subject"`
		Duplicate bool   `json:"duplicate"`
	} `json:"accepted"`

	status int
	body   []byte
}

// post sends one webhook. An answer that is not a 2xx is an error.
func (s *send) post(ctx context.Context, client *http.Client, sample samples.Sample) (sent, error) {
	target, err := url.Parse(s.url)
	if err != nil {
		return sent{}, fmt.Errorf("send to %s: %w", s.url, err)
	}
	if sample.Suffix != "" {
		target = target.JoinPath(sample.Suffix)
	}
	query := target.Query()
	for name, values := range sample.Query {
		query[name] = values
	}
	target.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, sample.Method, target.String(), bytes.NewReader(sample.Body))
	if err != nil {
		return sent{}, fmt.Errorf("send to %s: %w", s.url, err)
	}
	r.Header = sample.Header.Clone()
	answer, err := client.Do(r)
	if err != nil {
		return sent{}, unreachable(s.url, "--url or HOLDFAST_LISTEN", err)
	}
	defer answer.Body.Close()
	result := sent{status: answer.StatusCode}
	if result.body, err = io.ReadAll(answer.Body); err != nil {
		return sent{}, fmt.Errorf("read the answer of %s: %w", s.url, err)
	}
	if answer.StatusCode/100 != 2 {
		text := fmt.Sprintf("%s answered %s", s.url, answer.Status)
		if told := short(strings.TrimSpace(string(result.body)), 300); told != "" {
			text += ": " + told
		}
		return sent{}, fmt.Errorf("%s%s", text, s.advice(answer.StatusCode))
	}
	// A handshake is answered in the sender's own form, which is no JSON of ours.
	if json.Unmarshal(result.body, &result) != nil {
		result.Accepted = nil
	}
	return result, nil
}

// advice says what may have led to a status.
func (s *send) advice(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return fmt.Sprintf("\nIs it signed with what the source %s has as %s_%s, there where it runs?",
			s.source, ingress.SourceEnv(s.source), samples.SecretSetting(s.provider))
	case http.StatusNotFound:
		return fmt.Sprintf("\nIs %s in HOLDFAST_SOURCES, there where it runs?", s.source)
	case http.StatusNotImplemented:
		return "\nA query is refused, and not stored."
	case http.StatusServiceUnavailable:
		return "\nThe process's log says why; a real sender would try again later."
	default:
		return ""
	}
}

// write prints a line for each event.
func (a sent) write(w io.Writer) error {
	if len(a.Accepted) == 0 {
		_, err := fmt.Fprintf(w, "%d  %s\n", a.status, orDash(short(strings.TrimSpace(string(a.body)), 300)))
		return err
	}
	for _, e := range a.Accepted {
		what := "accepted "
		if e.Duplicate {
			what = "duplicate"
		}
		if _, err := fmt.Fprintf(w, "%d  %s  sequence %-6d  event %s  subject %s\n", a.status, what, e.Sequence, clean(e.EventID), orDash(clean(e.Subject))); err != nil {
			return err
		}
	}
	return nil
}

// subject is that of the last event, empty if there is none.
func (a sent) subject() string {
	if len(a.Accepted) == 0 {
		return ""
	}
	return a.Accepted[len(a.Accepted)-1].Subject
}
