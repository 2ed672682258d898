package providers

import (
	"slices"
	"strings"
)

// redoxQueries are the pairs of data model and event type that wait for data in
// the answer. Elsewhere the same model sends events: PatientAdmin does both.
var redoxQueries = map[string][]string{
	"clinicalsummary":   {"patientquery", "visitquery", "documentquery", "documentget"},
	"clinicaldecisions": {"request"},
	"media":             {"query"},
	"notes":             {"query"},
	"order":             {"query"},
	"organization":      {"query"},
	"referral":          {"query"},
	"results":           {"query"},
	"patientadmin":      {"censusquery", "visitquery"},
	"patientsearch":     {"query", "locationquery"},
	"provider":          {"providerquery"},
	"scheduling":        {"availableslots", "booked"},
	"sso":               {"sign-on"},
	"vaccination":       {"patientquery"},
}

// isQuery looks in the table, and else goes by the name, so that a query that
// Redox adds is not stored as an event that nobody answers. A response is none:
// it brings data and waits for nothing.
func isQuery(model, eventType string) bool {
	model = strings.ToLower(strings.ReplaceAll(model, " ", ""))
	eventType = strings.ToLower(strings.ReplaceAll(eventType, " ", ""))
	if slices.Contains(redoxQueries[model], eventType) {
		return true
	}
	switch eventType {
	case "request", "availableslots", "booked", "documentget", "sign-on":
		return true
	default:
		return strings.Contains(eventType, "query") && !strings.HasSuffix(eventType, "response")
	}
}
