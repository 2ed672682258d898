package providers

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// SocialBoardsConfig are the settings of a SocialBoards source.
type SocialBoardsConfig struct {
	Common
	VerifyToken         Secret `split_words:"true" required:"true" desc:"the token that SocialBoards shows when it tests the endpoint"`
	PreviousVerifyToken Secret `split_words:"true" desc:"the token before a rotation, accepted too while it is set"`
	Community           string `required:"true" desc:"the only CommunityName whose webhooks are accepted"`
}

// Validate implements settings.
func (c *SocialBoardsConfig) Validate(report func(setting, problem string)) {
	if c.VerifyToken == "" {
		report("VERIFY_TOKEN", "is required: the token entered in the community's webhook settings")
	}
	if c.Community == "" {
		report("COMMUNITY", "is required: the CommunityName in this community's webhooks")
	}
}

func (c *SocialBoardsConfig) provider() Provider {
	return &SocialBoards{token: newRotating(c.VerifyToken, c.PreviousVerifyToken), community: c.Community}
}

func socialboardsDialect() Dialect {
	return Dialect{
		Name:     "socialboards",
		New:      func(prefix string) (Source, error) { return newSource(prefix, new(SocialBoardsConfig)) },
		Settings: func() any { return new(SocialBoardsConfig) },
	}
}

// SocialBoards sends tickets and chats. It documents no proof of any kind for a
// live request: the verify token is shown only when it tests the endpoint. All
// that Verify can ask for is the right CommunityName, which is no secret. What
// keeps strangers out is a source name that cannot be guessed, which makes the
// path unguessable. Let a handler read the ticket again before it acts on it.
type SocialBoards struct {
	token     rotating
	community string
}

// Handshake answers the GET with challenge and verifyToken.
func (p *SocialBoards) Handshake(r Request) (Answer, bool) {
	if r.Method != http.MethodGet || !r.Query.Has("challenge") {
		return Answer{}, false
	}
	challenges, tokens := r.Query["challenge"], r.Query["verifyToken"]
	if len(challenges) != 1 || len(tokens) != 1 || !p.token.accepts(tokens[0]) {
		return deny(http.StatusUnauthorized), true
	}
	answer, ok := echo(challenges[0])
	if !ok {
		return deny(http.StatusBadRequest), true
	}
	return answer, true
}

// socialBody relies on encoding/json not minding the case of names: the webhook
// writes PascalCase, the vendor's other APIs camelCase.
type socialBody struct {
	CommunityName text
	EventType     text
	TicketID      text `json:"TicketId"`
	Events        json.RawMessage
}

type socialElement struct {
	InboxLink      text
	ConversationID text `json:"ConversationId"`
	Conversation   struct{ ID text }
	Ticket         struct{ ID text }
	EventTime      text
}

// Verify wants a POST of the configured community.
func (p *SocialBoards) Verify(r Request) error {
	if err := posted(r); err != nil {
		return err
	}
	var body struct{ CommunityName text }
	if err := decode(r.Body, &body); err != nil {
		return notGenuine("the body is not JSON or names two communities")
	}
	if subtle.ConstantTimeCompare([]byte(body.CommunityName), []byte(p.community)) != 1 || p.community == "" {
		return notGenuine("CommunityName is not the configured one")
	}
	return nil
}

const (
	// socialHashLife is how long a key made of a hash holds. It has to cover a
	// repeated delivery (the deadline is 20 seconds, retries are not documented),
	// but a ticket that goes from open to pending, back and to pending again
	// sends the same bytes for something that did happen twice.
	socialHashLife = 10 * time.Minute

	// socialMaxEvents bounds what one request can make of a few megabytes, since
	// nothing proves who sent it. No example of the vendor has more than one.
	socialMaxEvents = 1000
)

// Parse makes one event of each element of Events, in their order, or one
// without detail if there is none.
func (p *SocialBoards) Parse(r Request) ([]Event, error) {
	var body socialBody
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	if body.EventType == "" || body.Events == nil {
		return nil, notUnderstood("the body has no EventType or no list of Events")
	}
	elements, ok := split(body.Events, socialMaxEvents)
	if !ok {
		return nil, notUnderstood("the body's Events are no list")
	}
	if len(elements) > socialMaxEvents {
		return nil, notUnderstood(fmt.Sprintf("the body has more than %d Events", socialMaxEvents))
	}
	if len(elements) == 0 {
		elements = []json.RawMessage{r.Body}
	}
	seen := map[string]int{}
	events := make([]Event, 0, len(elements))
	for _, element := range elements {
		event, err := p.event(body, element)
		if err != nil {
			return nil, err
		}
		// Equal elements of one request are separate events: the second gets a key
		// of its own, and the same one when the request is delivered again.
		if seen[event.Key]++; seen[event.Key] > 1 {
			event.Key = fmt.Sprintf("%s#%d", event.Key, seen[event.Key])
		}
		events = append(events, event)
	}
	return legible(events)
}

func (p *SocialBoards) event(body socialBody, element json.RawMessage) (Event, error) {
	var e socialElement
	if err := decode(element, &e); err != nil {
		return Event{}, err
	}
	id := first(e.Ticket.ID, e.ConversationID, e.Conversation.ID, body.TicketID, ticketOf(e.InboxLink))
	if id == "" {
		return Event{}, notUnderstood("an event names no ticket and no conversation")
	}
	event := Event{
		Type:    string(body.EventType),
		Subject: string(body.CommunityName + "/" + id),
		At:      e.EventTime.time(),
	}
	event.Key = event.Subject + "|" + event.Type + "|"
	if e.EventTime != "" {
		event.Key += string(e.EventTime)
	} else {
		event.Key += "sha256:" + digest(bytes.TrimSpace(element))
		event.KeyLife = socialHashLife
	}
	return event, nil
}

// ticketOf reads the ticket out of a link into the inbox.
func ticketOf(link text) text {
	u, err := url.Parse(string(link))
	if err != nil {
		return ""
	}
	return text(u.Query().Get("ticketId"))
}
