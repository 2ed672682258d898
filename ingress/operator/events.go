package operator

import (
	"fmt"
	"log/slog"

	"github.com/holdfast-project/holdfast/inbox"
)

// filters are the parameters that select events.
var filters = []string{"subject", "source", "status", "type", "from", "to", "after", "before", "limit", "newest"}

func (a *API) events(r request) (any, error) {
	p, err := r.query(filters...)
	if err != nil {
		return nil, err
	}
	filter, err := eventFilter(p["subject"], p["source"], p["status"], p["type"], p["from"], p["to"])
	if err != nil {
		return nil, err
	}
	if filter.After, err = p.bound("after"); err != nil {
		return nil, err
	}
	if filter.Before, err = p.bound("before"); err != nil {
		return nil, err
	}
	if filter.Newest, err = p.newest(); err != nil {
		return nil, err
	}
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	filter.Limit = limit
	if !filter.Newest { // nothing comes after the newest
		filter.Limit++ // one more tells whether there is another page
	}
	found, err := a.Inbox.Events(r.ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	page := EventsJSON{}
	if len(found) > limit {
		found = found[:limit]
		page.NextAfter = &found[limit-1].Sequence
	}
	page.Events = eventsJSON(found)
	return page, nil
}

func eventFilter(subject, source, state, kind, from, to string) (inbox.EventFilter, error) {
	filter := inbox.EventFilter{Subject: subject, Source: source, Type: kind}
	var err error
	if filter.Status, err = status(state); err != nil {
		return filter, err
	}
	if filter.From, err = moment("from", from); err != nil {
		return filter, err
	}
	filter.To, err = moment("to", to)
	return filter, err
}

func (a *API) event(r request) (any, error) {
	if _, err := r.query(); err != nil {
		return nil, err
	}
	sequence, err := r.sequence()
	if err != nil {
		return nil, err
	}
	event, err := a.Inbox.Event(r.ctx, sequence)
	if err != nil {
		return nil, about(err, "event %d", sequence)
	}
	return eventJSON(event), nil
}

func (a *API) payload(r request) (any, error) {
	if _, err := r.query(); err != nil {
		return nil, err
	}
	sequence, err := r.sequence()
	if err != nil {
		return nil, err
	}
	payload, err := a.Inbox.Payload(r.ctx, sequence)
	if err != nil {
		return nil, about(err, "payload of event %d", sequence)
	}
	file := raw{contentType: payload.ContentType, filename: fmt.Sprintf("event-%d", sequence), body: payload.Body}
	if file.contentType == "" {
		file.contentType = "application/octet-stream"
	}
	return file, nil
}

func (a *API) replay(r request) (any, error) {
	if _, err := r.query(); err != nil {
		return nil, err
	}
	var asked ReplayRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	replay, err := a.replayOf(asked)
	if err != nil {
		return nil, err
	}
	done, err := a.Inbox.Replay(r.ctx, replay)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if !asked.DryRun {
		for _, subject := range done.Ring {
			a.Bell.Ring(subject)
		}
		a.Log.InfoContext(r.ctx, "replay", slog.Int("events", len(done.Events)), slog.Int("skipped", done.Skipped), slog.String("by", replay.By))
	}
	answer := ReplayJSON{Events: eventsJSON(done.Events), DryRun: asked.DryRun, Skipped: done.Skipped}
	if done.More != 0 {
		answer.NextAfter = &done.More
	}
	return answer, nil
}

// replayOf checks what is asked for. It must say which events: a replay of
// everything is nobody's first thought.
func (a *API) replayOf(asked ReplayRequest) (inbox.Replay, error) {
	filter, err := eventFilter(asked.Subject, asked.Source, asked.Status, asked.Type, asked.From, asked.To)
	if err != nil {
		return inbox.Replay{}, err
	}
	named, filtered := len(asked.Sequences) > 0, filter != (inbox.EventFilter{})
	filter.After, filter.Limit = asked.After, asked.Limit
	replay := inbox.Replay{
		Sequences: asked.Sequences, Filter: filter, DryRun: asked.DryRun,
		By: or(asked.By, defaultBy), Reason: asked.Reason, Now: a.Now().UTC(),
	}
	for _, sequence := range asked.Sequences {
		if sequence < 1 {
			return replay, bad(`sequences must be numbers from 1, for example {"sequences":[1042,1043]}`)
		}
	}
	switch {
	case named && (filtered || asked.After != 0 || asked.Limit != 0):
		return replay, bad("name sequences or give filters, not both")
	case !named && !filtered:
		return replay, bad(`say what to replay: {"sequences":[1042]}, or a filter: subject, source, status, type, from or to`)
	case len(asked.Sequences) > maxLimit:
		return replay, bad("sequences must not be more than %d at once", maxLimit)
	case asked.After < 0:
		return replay, bad("after must be a sequence, for example 1042")
	case asked.Limit < 0 || asked.Limit > maxLimit:
		return replay, bad("limit must be a number from 1 to %d", maxLimit)
	}
	if err := note("by", asked.By); err != nil {
		return replay, err
	}
	return replay, note("reason", asked.Reason)
}
