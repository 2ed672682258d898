package providers

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// redoxBody is what both forms have that we need. Ids are numbers in older
// messages and strings in newer ones; any of it may be null.
type redoxBody struct {
	Meta    redoxMeta
	Patient struct {
		Identifiers         []redoxIdentifier
		PreviousIdentifiers []redoxIdentifier
	}
	Visit struct{ VisitNumber text }
	fhirBundle
}

type redoxMeta struct {
	DataModel     text
	EventType     text
	EventDateTime text
	Test          bool
	Source        struct{ ID text }
	Logs          []struct{ ID text }
	Message       struct{ ID text }
	Transmission  struct{ ID text }
}

type redoxIdentifier struct {
	ID     text
	IDType text
}

func (i redoxIdentifier) subject() text {
	if i.ID == "" || i.IDType == "" {
		return i.ID
	}
	return i.IDType + ":" + i.ID
}

// redoxHashLife is how long a key made of a hash holds. Redox repeats what was
// not acknowledged within minutes, without end while we are down; once we have
// answered, the same content a day later is rather a new message.
const redoxHashLife = 24 * time.Hour

// redoxMaxPrevious bounds what travels with an event in a header. A merge names
// one or two.
const redoxMaxPrevious = 100

// Parse makes one event of a message in either form.
func (p *Redox) Parse(r Request) ([]Event, error) {
	var body redoxBody
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	var event Event
	var err error
	switch {
	case body.isMessage():
		event, err = body.event(p.types)
	case body.Meta.DataModel != "" && body.Meta.EventType != "":
		event, err = body.modelEvent(p.types)
	default:
		err = notUnderstood("the body is neither a data model message nor a FHIR message bundle")
	}
	if err != nil {
		return nil, err
	}
	if event.Key == "" {
		if event.Key, err = redoxHash(r.Body); err != nil {
			return nil, err
		}
		event.KeyLife = redoxHashLife
	}
	event.At = body.Meta.EventDateTime.time()
	if body.Meta.Test {
		keepApart(&event)
	}
	return legible([]Event{event})
}

// keepApart gives test traffic subjects of its own: an invented patient may have
// a real one's number.
func keepApart(e *Event) {
	e.Subject = "test:" + e.Subject
	for i := range e.Related {
		e.Related[i] = "test:" + e.Related[i]
	}
}

// modelEvent reads a data model message. Its key is the log's id: a retry keeps
// the log, and changes AttemptID and EventDateTime.
func (b *redoxBody) modelEvent(types []string) (Event, error) {
	if isQuery(string(b.Meta.DataModel), string(b.Meta.EventType)) {
		return Event{}, ErrQuery
	}
	patient := preferred(b.Patient.Identifiers, types)
	subject := patient.subject()
	if subject == "" && b.Visit.VisitNumber != "" {
		subject = "visit:" + b.Visit.VisitNumber
	}
	if subject == "" && b.Meta.Source.ID != "" {
		subject = b.Meta.Source.ID + ":" + b.Meta.DataModel
	}
	if subject == "" {
		return Event{}, notUnderstood("the message names no patient, no visit and no source")
	}
	event := Event{Type: string(b.Meta.DataModel + ":" + b.Meta.EventType), Subject: string(subject), Key: b.Meta.key()}
	if len(b.Patient.PreviousIdentifiers) > redoxMaxPrevious {
		return Event{}, notUnderstood(fmt.Sprintf("the patient has more than %d previous identifiers", redoxMaxPrevious))
	}
	for _, previous := range b.Patient.PreviousIdentifiers {
		id := string(previous.subject())
		if id != "" && id != event.Subject && !slices.Contains(event.Related, id) {
			event.Related = append(event.Related, id)
		}
	}
	return event, nil
}

func (m redoxMeta) key() string {
	switch {
	case len(m.Logs) > 0 && m.Logs[0].ID != "":
		return string(m.Logs[0].ID)
	case m.Message.ID != "":
		return string("message:" + m.Message.ID + ":" + m.Transmission.ID)
	default:
		return ""
	}
}

// preferred returns the first identifier of the first type that is there, or
// else the first identifier.
func preferred(identifiers []redoxIdentifier, types []string) redoxIdentifier {
	identifiers = slices.DeleteFunc(slices.Clone(identifiers), func(i redoxIdentifier) bool { return i.ID == "" })
	for _, kind := range types {
		for _, identifier := range identifiers {
			if strings.EqualFold(string(identifier.IDType), kind) {
				return identifier
			}
		}
	}
	if len(identifiers) == 0 {
		return redoxIdentifier{}
	}
	return identifiers[0]
}

// redoxHash hashes what a retry does not change.
func redoxHash(body []byte) (string, error) {
	tree, err := decodeTree(body)
	if err != nil {
		return "", err
	}
	if meta, ok := tree["Meta"].(map[string]any); ok {
		delete(meta, "EventDateTime")
		delete(meta, "Logs") // without an id of its own, all it has is AttemptID
	}
	return "sha256:" + digest(canonical(tree)), nil
}
