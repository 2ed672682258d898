package providers_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

const (
	redoxModel = `{"Meta":{"DataModel":"Notes","EventType":"New","Logs":[{"ID":"l"}]%s},"Patient":{"Identifiers":[{"ID":"1","IDType":"MR"%s}]}%s}`
	redoxFHIR  = `{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader","id":"9c0e7a4b-2f68-5d1a-8f6e-3b7c1d2e4a55",` +
		`"eventUri":"x","focus":[{"reference":"V/1"%s}]}},{"resource":{"resourceType":"V","id":"1","subject":{"reference":"P/1"%s}}},` +
		`{"fullUrl":"P/1","resource":{"resourceType":"Patient","identifier":[{"value":"7"%s}]}}]}`
)

// fill puts one of several texts into the places of a template, and nothing into the others.
func fill(template string, place int, text string) string {
	for i := range strings.Count(template, "%s") {
		here := ""
		if i == place {
			here = text
		}
		template = strings.Replace(template, "%s", here, 1)
	}
	return template
}

func TestWhatReadersCouldTakeForDifferentThingsIsNotUnderstood(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		dialect, template string
		place             int
		text              string
		clear             bool
	}{
		"Return":                  {"redo", `{"type":"created","at":"x","return":{"id":"1"}%s}`, 0, `,"return":{"id":"2"}`, false},
		"ReturnInOtherCase":       {"redo", `{"type":"created","at":"x","return":{"id":"1"}%s}`, 0, `,"Return":{"id":"2"}`, false},
		"ReturnThatWouldBeMerged": {"redo", `{"type":"created","at":"x","return":{"id":"1"}%s}`, 0, `,"return":{"updatedAt":"x"}`, false},
		"ReturnThatIsNull":        {"redo", `{"type":"created","at":"x","return":{"id":"1"}%s}`, 0, `,"return":null`, false},
		"TheSameReturn":           {"redo", `{"type":"created","at":"x","return":{"id":"1"}%s}`, 0, `,"return":{"id":"1"}`, true},
		"IDInsideOfTheReturn":     {"redo", `{"type":"created","at":"x","return":{"id":"1"%s}}`, 0, `,"id":"2"`, false},
		"EscapedID":               {"redo", `{"type":"created","at":"x","return":{"id":"1"%s}}`, 0, `,"\u0069d":"2"`, false},
		"KelvinSign":              {"socialboards", `{"CommunityName":"shop","EventType":"x","Events":[],"TicketId":1%s}`, 0, ",\"Tic\u212aetId\":2", false},
		"WhatNobodyReads":         {"redo", `{"type":"created","at":"x","return":{"id":"1","x":{"id":"a"%s}}}`, 0, `,"id":"b"`, true},
		"Type":                    {"redo", `{"type":"created"%s,"at":"x","return":{"id":"1"}}`, 0, `,"type":"updated"`, false},
		"Time":                    {"redo", `{"type":"created","at":"x"%s,"return":{"id":"1"}}`, 0, `,"at":"y"`, false},
		"MetaMember":              {"redox", redoxModel, 0, `,"EventType":"Replace"`, false},
		"ListOfIdentifiers":       {"redox", redoxModel, 1, `,"ID":"2"`, false},
		"Embedded":                {"redox", redoxModel, 2, `,"id":"a","ID":"b"`, false},
		"Visit":                   {"redox", redoxModel, 2, `,"Visit":{"VisitNumber":1},"Visit":{"VisitNumber":2}`, false},
		"Reference":               {"redox", redoxFHIR, 0, `,"reference":"V/2"`, false},
		"ReferenceInSubject":      {"redox", redoxFHIR, 1, `,"reference":"P/2"`, false},
		"IdentifierOfThePatient":  {"redox", redoxFHIR, 2, `,"value":"8"`, false},
		"Product":                 {"redeam", `{"productID":"1"%s,"signature":{"token":"t"}}`, 0, `,"productID":"2"`, false},
		"AnythingOfRedeam":        {"redeam", `{"productID":"1","x":[{"a":1%s}],"signature":{"token":"t"}}`, 0, `,"a":2`, false},
		"OtherCaseOfRedeam":       {"redeam", `{"productID":"1"%s,"signature":{"token":"t"}}`, 0, `,"productId":"2"`, true},
		"Signature":               {"redeam", `{"productID":"1"%s,"signature":{"token":"t"}}`, 0, `,"signature":{"token":"u"}`, false},
		"EventType":               {"socialboards", `{"CommunityName":"shop","EventType":"x"%s,"Events":[],"TicketId":1}`, 0, `,"eventType":"y"`, false},
		"InsideOfEvents":          {"socialboards", `{"CommunityName":"shop","EventType":"x","Events":[{"ConversationId":1%s}]}`, 0, `,"conversationid":2`, false},
		"TwoListsOfEvents":        {"socialboards", `{"CommunityName":"shop","EventType":"x","Events":[],"TicketId":1%s}`, 0, `,"Events":[1]`, false},
	} {
		p := sources()[tt.dialect]
		parseOne(t, p, posted(fill(tt.template, -1, "")))
		body := fill(tt.template, tt.place, tt.text)
		require.True(t, json.Valid([]byte(body)), "%s %s", name, body)
		_, err := p.Parse(posted(body))
		if tt.clear {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, providers.ErrNotUnderstood, name)
		require.ErrorContains(t, err, "twice", name)
	}
	two := posted(`{"CommunityName":"shop","communityName":"other","EventType":"x","Events":[],"TicketId":1}`)
	require.ErrorIs(t, sources()["socialboards"].Verify(two), providers.ErrNotGenuine, "its community is its only proof")
}

// Four megabytes of the smallest values there are must not become hundreds in
// memory: of these three the first two are read before anything is proven.
func TestSmallValuesDoNotBecomeManyBytes(t *testing.T) {
	many := func(value string) string { return strings.Repeat(value+",", (4<<20)/(len(value)+1)) + value }
	names := `"` + strings.Join(strings.Split(strings.Repeat("ab", 1<<19), ""), `":0,"`) + `":0`
	for name, tt := range map[string]struct{ dialect, body string }{
		"NamesOfRedeam":          {"redeam", `{` + names + `,"signature":{"timestamp":1,"token":"t"}}`},
		"ElementsOfSocialBoards": {"socialboards", `{"CommunityName":"shop","EventType":"x","TicketId":1,"Events":[` + many("0") + `]}`},
		"EntriesOfABundle":       {"redox", `{"resourceType":"Bundle","type":"message","entry":[` + many("{}") + `]}`},
		"PreviousIdentifiers": {"redox", `{"Meta":{"DataModel":"PatientAdmin","EventType":"PatientMerge"},"Patient":{"Identifiers":[{"ID":1}],"PreviousIdentifiers":[` +
			many(`{"ID":1}`) + `]}}`},
		"TreeWithoutAKey":    {"redox", `{"Meta":{"DataModel":"Notes","EventType":"New"},"Visit":{"VisitNumber":1},"x":[` + many("0") + `]}`},
		"NumbersInRedeamsID": {"redeam", `{"productID":"p","signature":{"token":"t"},"x":[` + many("[]") + `]}`},
	} {
		p, r := sources()[tt.dialect], posted(tt.body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = p.Verify(r)
		_, err := p.Parse(r)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, providers.ErrNotUnderstood, name)
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d KiB of body, %d KiB allocated", name, len(tt.body)>>10, allocated>>10)
		require.Less(t, allocated, uint64(10*len(tt.body)), name)
	}
}
