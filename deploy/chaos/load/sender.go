package load

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers/samples"
)

const (
	// requestPatience is how long a sender waits for an answer.
	requestPatience = 10 * time.Second
	// The wait before an event is sent again doubles from first to most.
	firstWait = 250 * time.Millisecond
	mostWait  = 3 * time.Second
	// A duplicate that is not sent at once comes at most this much later.
	maxDuplicateWait = 10 * time.Second
)

// insist sends an event until it is accepted or ctx ends.
func (l *Load) insist(ctx context.Context, e event) {
	for wait := firstWait; ; wait = min(2*wait, mostWait) {
		floor, accepted := l.send(ctx, e)
		if accepted {
			return
		}
		l.mu.Lock()
		pause := wait/2 + time.Duration(l.rand.Int64N(int64(wait/2)))
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(pause, floor)):
		}
	}
}

// send makes one request, and returns how long the answer asks to wait.
func (l *Load) send(ctx context.Context, e event) (wait time.Duration, accepted bool) {
	sample, err := samples.Make("redo", samples.Options{Secret: l.options.Secret, Body: e.body})
	if err != nil {
		panic(err) // the options are ours
	}
	r, err := http.NewRequestWithContext(ctx, sample.Method, l.options.URL, bytes.NewReader(sample.Body))
	if err != nil {
		panic(err) // the URL is ours
	}
	r.Header = sample.Header
	begun := time.Now()
	answer, err := l.client.Do(r)
	if err != nil {
		l.note(e, func(s *verdict.Sending) { s.Unanswered++ })
		return 0, false
	}
	defer answer.Body.Close()
	var body ingress.AcceptedJSON
	content, err := io.ReadAll(answer.Body)
	switch status := answer.StatusCode; {
	case err != nil:
		l.note(e, func(s *verdict.Sending) { s.Unanswered++ })
		return 0, false
	case status/100 != 2:
		if status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests {
			l.options.Log.Warn("an answer that no sender expects", slog.Int("status", status), slog.String("subject", e.Subject))
		}
		l.note(e, func(s *verdict.Sending) { s.Refused++ })
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return min(time.Duration(seconds)*time.Second, mostWait), false
	case json.Unmarshal(content, &body) != nil || len(body.Accepted) != 1:
		l.options.Log.Warn("a 2xx that does not say what was accepted", slog.String("subject", e.Subject))
	}
	l.accepted(e, begun, body)
	return 0, true
}

func (l *Load) note(e event, change func(*verdict.Sending)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sent[e.ID]
	s.Requests++
	change(s)
}

func (l *Load) accepted(e event, begun time.Time, body ingress.AcceptedJSON) {
	a := verdict.Answer{At: time.Now(), Took: time.Since(begun)}
	if len(body.Accepted) == 1 {
		one := body.Accepted[0]
		a.EventID, a.Sequence, a.Duplicate = one.EventID, one.Sequence, one.Duplicate
	}
	l.note(e, func(s *verdict.Sending) {
		s.Answers = append(s.Answers, a)
		if begun.After(l.last) {
			l.last = begun
		}
	})
}
