package operator

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/holdfast-project/holdfast/inbox"
)

// defaultBy is who acted, when a request does not say.
const defaultBy = "operator API"

func (a *API) subjects(r request) (any, error) {
	p, err := r.query("state", "after", "limit")
	if err != nil {
		return nil, err
	}
	filter := inbox.SubjectFilter{State: inbox.State(p["state"]), After: p["after"]}
	switch filter.State {
	case "", inbox.StatePending, inbox.StateRetrying, inbox.StateHeld:
	default:
		return nil, bad("state must be pending, retrying or held, for example state=held")
	}
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	filter.Limit = limit + 1 // one more tells whether there is another page
	found, err := a.Inbox.Subjects(r.ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("list subjects: %w", err)
	}
	page := SubjectsJSON{Subjects: []SubjectJSON{}}
	if len(found) > limit {
		found = found[:limit]
		page.NextAfter = &found[limit-1].ID
	}
	for _, view := range found {
		page.Subjects = append(page.Subjects, subjectJSON(view))
	}
	return page, nil
}

func (a *API) subject(r request) (any, error) {
	p, err := r.query("id")
	if err != nil {
		return nil, err
	}
	view, err := a.find(r, p)
	if err != nil {
		return nil, err
	}
	return subjectJSON(view), nil
}

// find looks up the subject that the parameter id names, by ID or name.
func (a *API) find(r request, p params) (inbox.SubjectView, error) {
	if p["id"] == "" {
		return inbox.SubjectView{}, bad("id must name a subject, for example id=redo%%2Fr1")
	}
	view, err := a.Inbox.Subject(r.ctx, p["id"])
	if err != nil {
		return view, about(err, "subject %q", p["id"])
	}
	return view, nil
}

func (a *API) audit(r request) (any, error) {
	p, err := r.query("id", "limit")
	if err != nil {
		return nil, err
	}
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	view, err := a.find(r, p)
	if err != nil {
		return nil, err
	}
	entries, err := a.Inbox.Audit(r.ctx, view.ID, limit)
	if err != nil {
		return nil, about(err, "audit of %q", view.ID)
	}
	return auditJSON(entries), nil
}

// verb returns the endpoint of a verb. The row is written first, so that the
// verb is in force at once and whether Temporal is up or not; then the run, if
// there can be one, is told to look.
func (a *API) verb(name string) func(request) (any, error) {
	return func(r request) (any, error) {
		p, err := r.query("id")
		if err != nil {
			return nil, err
		}
		var asked VerbRequest
		if err := r.decode(&asked); err != nil {
			return nil, err
		}
		verb, err := a.verbOf(name, asked)
		if err != nil {
			return nil, err
		}
		before, err := a.find(r, p)
		if err != nil {
			return nil, err
		}
		verb.Subject = before.ID
		after, err := a.Inbox.Operate(r.ctx, verb)
		if err != nil {
			return nil, about(err, "%s %q", name, before.ID)
		}
		// Parking the last event leaves none, but its run still waits to try it.
		if before.Pending > 0 || after.Pending > 0 {
			a.Bell.Tell(after.ID)
		}
		a.Log.InfoContext(r.ctx, "operator verb", slog.String("verb", name), slog.String("subject", after.ID), slog.Int64("sequence", verb.Sequence), slog.String("by", verb.By))
		return subjectJSON(after), nil
	}
}

// verbOf makes the inbox's verb of a request, or says what is wrong with it.
func (a *API) verbOf(name string, asked VerbRequest) (inbox.Verb, error) {
	verb := inbox.Verb{
		RequestID: asked.RequestID, Verb: name, Sequence: asked.Sequence,
		Reason: asked.Reason, By: or(asked.By, defaultBy), Now: a.Now().UTC(),
	}
	switch {
	case name == inbox.VerbPark && asked.Sequence < 1:
		return verb, bad(`park needs the sequence of the event it means, for example {"sequence":1042,"reason":"malformed"}`)
	case name == inbox.VerbPark && strings.TrimSpace(asked.Reason) == "":
		return verb, bad(`park needs a reason, for example {"sequence":1042,"reason":"malformed"}`)
	case name != inbox.VerbPark && asked.Sequence != 0:
		return verb, bad("sequence is only for park: %s acts on the whole subject", name)
	case name != inbox.VerbPause && asked.Until != "":
		return verb, bad("until is only for pause")
	case strings.EqualFold(verb.By, inbox.HeldByPolicy):
		return verb, bad("by must be a person or program, not %q: that is the failure policy", verb.By)
	}
	for _, text := range [][2]string{{"reason", asked.Reason}, {"by", asked.By}, {"request_id", asked.RequestID}} {
		if err := note(text[0], text[1]); err != nil {
			return verb, err
		}
	}
	var err error
	verb.Until, err = until(asked.Until, verb.Now)
	return verb, err
}

// until reads the end of a pause: a time, or a duration from now. Empty is the
// zero time: until resumed.
func until(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		length, err := time.ParseDuration(text)
		if err != nil {
			return time.Time{}, bad(`until must be an RFC 3339 time or a duration, for example "2026-03-14T09:30:00Z" or "2h"`)
		}
		t = now.Add(length)
	}
	if !t.After(now) {
		return time.Time{}, bad(`until must be in the future, for example "2h"`)
	}
	return t.UTC(), nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
