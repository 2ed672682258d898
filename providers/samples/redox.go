package samples

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	redoxMerge = "PatientAdmin:PatientMerge"
	redoxFHIR  = "fhir:PatientAdminCreated"
)

func redox() dialect {
	return dialect{
		name:   "redox",
		secret: "TOKEN",
		types: []string{
			"PatientAdmin:Arrival", "PatientAdmin:Discharge", "PatientAdmin:Transfer", redoxMerge,
			"Scheduling:New", "Scheduling:Cancel", redoxFHIR, "PatientSearch:Query", Handshake,
		},
		make:    makeRedox,
		fill:    func(*Options, func(string) string) {},
		private: func(random func() string) map[string]string { return map[string]string{"TOKEN": random()} },
	}
}

func makeRedox(o Options) (Sample, error) {
	if o.Secret == "" {
		return Sample{}, missing("TOKEN")
	}
	s := Sample{Method: http.MethodPost, Header: jsonHeader(), Body: o.Body, Type: o.Type}
	s.Header.Set("Application-Name", "RedoxEngine")
	if o.Type == Handshake && o.Body == nil {
		s.Body = encode(object{"verification-token": o.Secret, "challenge": identity("challenge", o)})
		return s, nil
	}
	s.Header.Set("Authorization", "Bearer "+o.Secret)
	s.Header.Set("Verification-Token", o.Secret)
	if o.Body != nil {
		return s, nil
	}
	var body object
	var err error
	if o.Type == redoxFHIR {
		body, s.Subject, err = redoxBundle(o)
	} else {
		body, s.Subject, err = redoxModel(o)
	}
	s.Body = encode(body)
	return s, err
}

// redoxModel makes a data model message. Its subject is TYPE:ID, with MR as the
// type if there is none.
func redoxModel(o Options) (object, string, error) {
	model, eventType, _ := strings.Cut(o.Type, ":")
	body := embedded("redox-" + strings.ToLower(model))
	meta := in(body, "Meta")
	meta["EventType"], meta["EventDateTime"] = eventType, moment(o).Format(precise)
	meta["Logs"] = []any{object{"ID": identity("log", o), "AttemptID": identity("attempt", o)}}
	delete(meta, "Message")
	delete(meta, "Transmission")
	if model == "PatientSearch" {
		return body, "", nil // a query has no subject
	}

	kind, id, found := strings.Cut(cmpOr(o.Subject, "MR:NL0048213"), ":")
	if !found {
		kind, id = "MR", kind
	}
	if kind == "" || id == "" {
		return nil, "", fmt.Errorf("%w: a redox subject is TYPE:ID, such as MR:NL0048213", ErrOptions)
	}
	patient := in(body, "Patient")
	patient["Identifiers"] = []any{object{"ID": id, "IDType": kind}}
	if o.Type == redoxMerge {
		patient["PreviousIdentifiers"] = []any{object{"ID": id + "-before", "IDType": kind}}
		delete(body, "Visit")
	}
	return body, kind + ":" + id, nil
}

// redoxBundle makes a FHIR notification. Its subject is SYSTEM|VALUE.
func redoxBundle(o Options) (object, string, error) {
	system, value, found := strings.Cut(cmpOr(o.Subject, "urn:northlake:mrn|NL0060044"), "|")
	if !found {
		system, value = "urn:northlake:mrn", system
	}
	if value == "" {
		return nil, "", fmt.Errorf("%w: a redox FHIR subject is SYSTEM|VALUE, such as urn:northlake:mrn|NL0060044", ErrOptions)
	}
	body := embedded("redox-fhir")
	message, patient := identity("message", o), identity("patient", o)
	body["id"] = identity("bundle", o)
	in(body, "entry", 0)["fullUrl"] = "urn:uuid:" + message
	header := in(body, "entry", 0, "resource")
	header["id"], header["focus"] = message, []any{object{"reference": "urn:uuid:" + patient}}
	in(body, "entry", 1)["fullUrl"] = "urn:uuid:" + patient
	resource := in(body, "entry", 1, "resource")
	resource["id"] = patient
	resource["meta"] = object{"lastUpdated": moment(o).Format(precise)}
	resource["identifier"] = []any{object{"system": system, "value": value}}
	return body, system + "|" + value, nil
}
