package providers

import (
	"encoding/json"
	"strings"
)

// fhirBundle is a FHIR notification: a bundle of type message, whose
// MessageHeader says what happened and which resource it is about.
type fhirBundle struct {
	ResourceType text        `json:"resourceType"`
	ID           text        `json:"id"`
	Type         text        `json:"type"`
	Entry        []fhirEntry `json:"entry"`
}

type fhirEntry struct {
	FullURL  text         `json:"fullUrl"`
	Resource fhirResource `json:"resource"`
}

type fhirResource struct {
	ResourceType text            `json:"resourceType"`
	ID           text            `json:"id"`
	EventURI     text            `json:"eventUri"`
	Focus        []fhirReference `json:"focus"`
	Identifier   json.RawMessage `json:"identifier"` // a list in some resources, one in others
	Subject      json.RawMessage `json:"subject"`
	Patient      json.RawMessage `json:"patient"`
}

type fhirReference struct {
	Reference text `json:"reference"`
}

type fhirIdentifier struct {
	System text `json:"system"`
	Value  text `json:"value"`
	Type   struct {
		Coding []struct {
			Code text `json:"code"`
		} `json:"coding"`
	} `json:"type"`
}

func (b *fhirBundle) isMessage() bool { return b.ResourceType == "Bundle" && b.Type == "message" }

// event reads the bundle of a message. Event names were renamed between
// generations, so any name is taken.
func (b *redoxBody) event(types []string) (Event, error) {
	header, ok := b.header()
	if !ok {
		return Event{}, notUnderstood("the bundle has no MessageHeader")
	}
	uri := strings.TrimRight(string(header.EventURI), "/")
	name := uri[strings.LastIndex(uri, "/")+1:]
	if name == "" {
		return Event{}, notUnderstood("the MessageHeader has no eventUri")
	}
	subject, err := b.subject(header, types)
	if err != nil {
		return Event{}, err
	}
	if subject == "" {
		return Event{}, notUnderstood("the MessageHeader has no focus")
	}
	return Event{Type: "fhir:" + name, Subject: string(subject), Key: b.key(header)}, nil
}

func (b *fhirBundle) header() (fhirResource, bool) {
	for _, entry := range b.Entry {
		if entry.Resource.ResourceType == "MessageHeader" {
			return entry.Resource, true
		}
	}
	return fhirResource{}, false
}

// key prefers ids that are made for each message. Older messages have a fixed
// word in place of an id, which would make all of them one event; a word without
// a digit is taken for one.
func (b *redoxBody) key(header fhirResource) string {
	switch {
	case uuid.MatchString(strings.TrimPrefix(string(header.ID), "urn:uuid:")):
		return string(header.ID)
	case strings.ContainsAny(string(b.ID), "0123456789"):
		return string(b.ID)
	default:
		return b.Meta.key()
	}
}

// maxHops bounds how far a subject is followed: an order's encounter's patient.
const maxHops = 3

// subject follows the focus to a patient and takes the preferred identifier. A
// patient that is not in the bundle, or has no identifier, is the reference itself.
func (b *fhirBundle) subject(header fhirResource, types []string) (text, error) {
	if len(header.Focus) == 0 {
		return "", nil
	}
	reference := header.Focus[0].Reference
	for range maxHops {
		resource, ok := b.resolve(reference)
		if !ok {
			return reference, nil
		}
		if resource.ResourceType == "Patient" {
			id, err := resource.patientID(types)
			return first(id, reference), err
		}
		next, identifier, err := resource.about()
		if next == "" || err != nil {
			return first(identifier, reference), err
		}
		reference = next
	}
	return reference, nil
}

// resolve finds the entry that a reference means: by its full URL, or by type
// and id as older messages have it.
func (b *fhirBundle) resolve(reference text) (fhirResource, bool) {
	if reference == "" {
		return fhirResource{}, false
	}
	for _, entry := range b.Entry {
		if entry.FullURL == reference || entry.Resource.ID != "" && entry.Resource.ResourceType+"/"+entry.Resource.ID == reference {
			return entry.Resource, true
		}
	}
	return fhirResource{}, false
}

// about returns the reference to the patient that a resource is about, or else
// the identifier given in its place.
func (r fhirResource) about() (reference, identifier text, err error) {
	for _, raw := range []json.RawMessage{r.Subject, r.Patient} {
		var to struct {
			fhirReference
			Identifier fhirIdentifier `json:"identifier"`
		}
		if raw == nil {
			continue
		}
		if err := decode(raw, &to); err != nil {
			return "", "", err
		}
		if to.Reference != "" {
			return to.Reference, "", nil
		}
		identifier = first(identifier, to.Identifier.subject())
	}
	return "", identifier, nil
}

func (i fhirIdentifier) subject() text {
	if i.Value == "" {
		return ""
	}
	return i.System + "|" + i.Value
}

func (r fhirResource) patientID(types []string) (text, error) {
	var identifiers []fhirIdentifier
	if r.Identifier == nil {
		return "", nil
	}
	if err := decode(r.Identifier, &identifiers); err != nil {
		return "", err
	}
	for _, kind := range types {
		for _, identifier := range identifiers {
			for _, coding := range identifier.Type.Coding {
				if strings.EqualFold(string(coding.Code), kind) && identifier.Value != "" {
					return identifier.subject(), nil
				}
			}
		}
	}
	for _, identifier := range identifiers {
		if identifier.Value != "" {
			return identifier.subject(), nil
		}
	}
	return "", nil
}
