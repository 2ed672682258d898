package providers

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// Refuse answers in the form of what came in: an OperationOutcome to a FHIR
// message, Meta.Errors to anything else, also to what cannot be read. Of a body
// that was not read the content type tells.
func (p *Redox) Refuse(r Request, status int, text string) Answer {
	shape := redoxShape(r.Body)
	unread := r.Body == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/fhir+json")
	if shape.fhir || unread {
		return jsonAnswer(status, "application/fhir+json", outcome(status, text))
	}
	type problem struct{ Text string }
	var body struct {
		Meta struct {
			DataModel string `json:",omitempty"`
			EventType string `json:",omitempty"`
			Errors    []problem
		}
	}
	if status != http.StatusUnauthorized { // a stranger is not told what we read
		body.Meta.DataModel, body.Meta.EventType = shape.model, shape.eventType
	}
	body.Meta.Errors = []problem{{Text: text}}
	return jsonAnswer(status, "application/json", body)
}

func jsonAnswer(status int, contentType string, body any) Answer {
	return Answer{Status: status, ContentType: contentType, Body: canonical(body)}
}

type operationOutcome struct {
	ResourceType string         `json:"resourceType"`
	Issue        []outcomeIssue `json:"issue"`
}

type outcomeIssue struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Details  struct {
		Text string `json:"text"`
	} `json:"details"`
}

func outcome(status int, text string) operationOutcome {
	issue := outcomeIssue{Severity: "error", Code: issueCode(status)}
	issue.Details.Text = text
	return operationOutcome{ResourceType: "OperationOutcome", Issue: []outcomeIssue{issue}}
}

// issueCode is FHIR's word for a status, from its list of issue types.
func issueCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "login"
	case http.StatusNotFound:
		return "not-found"
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return "not-supported"
	case http.StatusRequestEntityTooLarge:
		return "too-long"
	case http.StatusUnprocessableEntity:
		return "required"
	case http.StatusTooManyRequests:
		return "throttled"
	case http.StatusServiceUnavailable:
		return "transient"
	case http.StatusBadRequest:
		return "invalid"
	default:
		return "processing"
	}
}

// shapeWindow is how much of a body is looked at for a refusal: we refuse when
// we are short of time or do not know the sender, and both forms begin with what
// tells them apart.
const shapeWindow = 64 << 10

// maxEchoed is the longest name from a body that is put into an answer.
const maxEchoed = 100

type shape struct {
	fhir             bool
	model, eventType string
}

// redoxShape reads a body's top level as far as it can be read.
func redoxShape(body []byte) shape {
	var found shape
	decoder := json.NewDecoder(bytes.NewReader(body[:min(len(body), shapeWindow)]))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return found
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return found
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return found
		}
		switch name {
		case "resourceType":
			found.fhir = true
			return found
		case "Meta":
			var meta redoxMeta
			if decode(value, &meta) == nil && len(meta.DataModel) <= maxEchoed && len(meta.EventType) <= maxEchoed {
				found.model, found.eventType = string(meta.DataModel), string(meta.EventType)
			}
		}
	}
	return found
}
