package providers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func sources() map[string]providers.Provider {
	return map[string]providers.Provider{
		"redox":        redoxSource(),
		"redeam":       redeamSource(),
		"redo":         providers.Make(&providers.RedoConfig{Secret: "s3cret"}),
		"socialboards": providers.Make(&providers.SocialBoardsConfig{VerifyToken: "t0ken", Community: "shop"}),
	}
}

func posted(body string) providers.Request {
	return providers.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body), ReceivedAt: redeamNow}
}

// valid has a body of each dialect that makes one event.
var valid = map[string]string{
	"redox":        `{"Meta":{"DataModel":"Notes","EventType":"New"},"Patient":{"Identifiers":[{"ID":"1","IDType":"MR"}]}}`,
	"redeam":       `{"supplierID":"s","signature":{"token":"t"}}`,
	"redo":         `{"type":"created","at":"2026-02-13T20:41:37Z","return":{"id":"1"}}`,
	"socialboards": `{"CommunityName":"shop","EventType":"x","Events":[],"TicketId":1}`,
}

func TestBodiesThatCannotBeReadAreNotUnderstood(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"Nothing": "", "Null": "null", "List": "[]", "String": `"x"`, "Number": "1", "Empty": "{}", "CutOff": `{"Meta":{"Data`,
		"Deep": strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), "DeepList": strings.Repeat("[", 1<<20),
		"HTML": "<html>", "NUL": "\x00", "OddTypes": `{"Meta":[],"Patient":1,"entry":{},"type":{},"return":[],"Events":{},"EventType":[],"signature":"x","supplierID":{}}`,
	}
	for dialect, p := range sources() {
		for name, body := range bodies {
			events, err := p.Parse(posted(body))
			require.ErrorIs(t, err, providers.ErrNotUnderstood, "%s %s", dialect, name)
			require.Empty(t, events)
			require.ErrorIs(t, p.Verify(posted(body)), providers.ErrNotGenuine, "%s %s", dialect, name)
		}
		for _, trailing := range []string{"x", "{}", "]", ",", "\x00", valid[dialect]} {
			_, err := p.Parse(posted(valid[dialect] + trailing))
			require.ErrorIs(t, err, providers.ErrNotUnderstood, "%s followed by %q", dialect, trailing)
		}
	}
}

func TestWhitespaceAndAByteOrderMarkAreNoPartOfABody(t *testing.T) {
	t.Parallel()
	for dialect, p := range sources() {
		want := parseOne(t, p, posted(valid[dialect]))
		for _, body := range []string{"\xef\xbb\xbf" + valid[dialect], " \n" + valid[dialect] + "\r\n"} {
			e := parseOne(t, p, posted(body))
			require.Equal(t, want.Subject, e.Subject)
			require.Equal(t, want.Digest, e.Digest)
		}
	}
}

// Two ids that differ in bytes that are no UTF-8 would decode to one.
func TestIDsThatAreNotUTF8AreNotUnderstood(t *testing.T) {
	t.Parallel()
	for dialect, body := range map[string]string{
		"redox":        `{"Meta":{"DataModel":"Notes","EventType":"New"},"Patient":{"Identifiers":[{"ID":"M` + "\xfc" + `ller"}]}}`,
		"redeam":       `{"supplierID":"\ud800","signature":{"token":"t"}}`,
		"redo":         `{"type":"created","at":"x","return":{"id":"M` + "\xfc" + `ller"}}`,
		"socialboards": `{"CommunityName":"shop","EventType":"` + "\xff" + `","Events":[],"TicketId":1}`,
	} {
		_, err := sources()[dialect].Parse(posted(body))
		require.ErrorIs(t, err, providers.ErrNotUnderstood, dialect)
	}
	elsewhere := strings.Replace(valid["redo"], `"type"`, `"note":"M`+"\xfc"+`ller","type"`, 1)
	require.Equal(t, "1", parseOne(t, sources()["redo"], posted(elsewhere)).Subject, "a name that we do not read")
}

func TestRedeamVerifiesTheSignatureItParses(t *testing.T) {
	t.Parallel()
	good := string(genuineRedeam().Body)
	token := `{"sum":"x","timestamp":1773480413,"token":"forged"}`
	r := genuineRedeam()
	r.Body = []byte(strings.TrimSuffix(good, "}") + `,"signature":` + token + `}`)
	require.ErrorIs(t, redeamSource().Verify(r), providers.ErrNotGenuine)

	r.Body = []byte(`{"signature":` + token + `,` + strings.TrimPrefix(good, "{"))
	require.NoError(t, redeamSource().Verify(r), "the last one")
	_, err := redeamSource().Parse(r)
	require.ErrorIs(t, err, providers.ErrNotUnderstood, "others could take the first")

	r.Body = []byte(strings.TrimSuffix(good, "}") + `,"Signature":` + token + `}`)
	require.NoError(t, redeamSource().Verify(r))
	require.Equal(t, redeamToken, parseOne(t, redeamSource(), r).Key, "names are case-sensitive")
}

func TestKeysFitAnIndex(t *testing.T) {
	t.Parallel()
	p := sources()["redeam"]
	key := func(token string) string {
		return parseOne(t, p, posted(fmt.Sprintf(`{"supplierID":"s","signature":{"token":%q}}`, token))).Key
	}
	require.Equal(t, strings.Repeat("x", 200), key(strings.Repeat("x", 200)))
	long := key(strings.Repeat("x", 201))
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", long)
	require.NotEqual(t, long, key(strings.Repeat("x", 202)))
	require.Regexp(t, "^sha256:", key("a\nb"), "a key that no header can hold")
}

func TestConflictingAuthorizationIsRefused(t *testing.T) {
	t.Parallel()
	for dialect, secret := range map[string]string{"redo": "s3cret", "redox": "t0ken"} {
		p, r := sources()[dialect], posted(valid[dialect])
		r.Header = http.Header{"Authorization": {"Bearer " + secret}}
		require.NoError(t, p.Verify(r))
		for _, values := range [][]string{
			{"Bearer " + secret, "Bearer " + secret},
			{"Bearer " + secret, "Bearer x"},
			{"Bearer x", "Bearer " + secret},
			{"Bearer " + secret, ""},
			{"Bearer " + secret + ", Bearer x"},
			{"Bearer  " + secret},
			{"Bearer\t" + secret},
			{secret},
			{"Basic " + secret},
			{"Bearer"},
			{"Bearer "},
			{" Bearer " + secret},
			{""},
			{"Bearer " + secret + " "},
		} {
			r.Header = http.Header{"Authorization": values}
			require.ErrorIs(t, p.Verify(r), providers.ErrNotGenuine, "%s %q", dialect, values)
		}
	}
}

func TestRedoxWantsBothHeadersRightIfBothAreThere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header http.Header
		ok     bool
	}{
		{http.Header{"Authorization": {"Bearer t0ken"}, "Verification-Token": {"t0ken"}}, true},
		{http.Header{"Verification-Token": {"t0ken"}}, true},
		{http.Header{"Authorization": {"Bearer t0ken"}, "Verification-Token": {"wrong"}}, false},
		{http.Header{"Authorization": {"Bearer wrong"}, "Verification-Token": {"t0ken"}}, false},
		{http.Header{"Authorization": {""}, "Verification-Token": {"t0ken"}}, false},
		{http.Header{"Authorization": {"Bearer t0ken"}, "Verification-Token": {""}}, false},
		{http.Header{"Verification-Token": {"t0ken", "t0ken"}}, false},
		{http.Header{"Verification-Token": {"Bearer t0ken"}}, false},
		{http.Header{}, false},
	} {
		r := posted(valid["redox"])
		r.Header = tt.header
		require.Equal(t, tt.ok, redoxSource().Verify(r) == nil, "%v", tt.header)
	}
}

// An endpoint test answers with what it was given, so it must be a test, and
// the challenge short.
func TestOnlyEndpointTestsAreAnsweredAsSuch(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body   string
		ok     bool
		status int
	}{
		"Test":            {`{"challenge":"c","verification-token":"t0ken"}`, true, 200},
		"WrongToken":      {`{"challenge":"c","verification-token":"wrong"}`, true, 401},
		"LongChallenge":   {`{"challenge":"` + strings.Repeat("c", 300) + `","verification-token":"t0ken"}`, true, 400},
		"Message":         {`{"challenge":"c","verification-token":"t0ken","Meta":{}}`, false, 0},
		"Bundle":          {`{"challenge":"c","verification-token":"t0ken","resourceType":"Bundle"}`, false, 0},
		"NoToken":         {`{"challenge":"c"}`, false, 0},
		"NumericToken":    {`{"challenge":"c","verification-token":1}`, false, 0},
		"NullToken":       {`{"challenge":"c","verification-token":null}`, true, 401},
		"EmptyChallenge":  {`{"challenge":"","verification-token":"t0ken"}`, false, 0},
		"NotJSON":         {`challenge`, false, 0},
		"MoreThanATest":   {`{"challenge":"c","verification-token":"t0ken","x":"` + strings.Repeat("x", 5000) + `"}`, false, 0},
		"EscapedNames":    {`{"\u0063hallenge":"c","verification\u002dtoken":"t0ken"}`, true, 200},
		"NamesInCapitals": {`{"CHALLENGE":"c","VERIFICATION-TOKEN":"t0ken"}`, false, 0},
	} {
		answer, ok := redoxSource().Handshake(posted(tt.body))
		require.Equal(t, tt.ok, ok, name)
		require.Equal(t, tt.status, answer.Status, name)
	}
}

func TestEndpointTestsByQuery(t *testing.T) {
	t.Parallel()
	for dialect, token := range map[string]string{"redox": "verification-token", "socialboards": "verifyToken"} {
		p, ok := sources()[dialect].(providers.Handshaker)
		require.True(t, ok)
		for query, status := range map[string]int{
			"challenge=42&" + token + "=t0ken":                               200,
			"challenge=42&" + token + "=wrong":                               401,
			"challenge=42":                                                   401,
			"challenge=42&" + token + "=":                                    401,
			"challenge=42&" + token + "=t0ken&" + token + "=t0ken":           401,
			"challenge=" + strings.Repeat("4", 300) + "&" + token + "=t0ken": 400,
			token + "=t0ken":                                                 0,
			"":                                                               0,
		} {
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			answer, _ := p.Handshake(providers.Request{Method: http.MethodGet, Query: values, Header: http.Header{}})
			require.Equal(t, status, answer.Status, "%s ?%s", dialect, query)
			if status != http.StatusOK {
				require.NotContains(t, string(answer.Body), "42")
			}
		}
	}
}

func TestRedoxQueriesAreToldFromEvents(t *testing.T) {
	t.Parallel()
	body := `{"Meta":{"DataModel":%q,"EventType":%q,"Source":{"ID":"s"}}}`
	for pair, query := range map[string]bool{
		"ClinicalSummary:PatientQuery": true, "Clinical Summary:DocumentGet": true, "ClinicalDecisions:Request": true, "Media:Query": true,
		"PatientAdmin:VisitQuery": true, "PatientSearch:LocationQuery": true, "Provider:ProviderQuery": true, "Scheduling:AvailableSlots": true,
		"Scheduling:Booked": true, "SSO:Sign-on": true, "Vaccination:PatientQuery": true, "Claim:StatusQuery": true, "Anything:Request": true,
		"PatientAdmin:Arrival": false, "Scheduling:New": false, "Scheduling:Cancel": false, "Vaccination:New": false, "Vaccination:Deactivate": false,
		"PatientSearch:QueryResponse": false, "PatientSearch:Response": false, "ClinicalSummary:PatientPush": false,
	} {
		model, eventType, _ := strings.Cut(pair, ":")
		events, err := redoxSource().Parse(posted(fmt.Sprintf(body, model, eventType)))
		if query {
			require.ErrorIs(t, err, providers.ErrQuery, pair)
			continue
		}
		require.NoError(t, err, pair)
		require.Equal(t, pair, events[0].Type)
	}
}

func TestFHIRSubjectsAreFollowedButNotForEver(t *testing.T) {
	t.Parallel()
	bundle := `{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader","id":"9c0e7a4b-2f68-5d1a-8f6e-3b7c1d2e4a55",` +
		`"eventUri":"https://fhir.redoxengine.com/EventDefinition/X/","focus":[{"reference":"A/1"}]}}%s]}`
	for name, tt := range map[string]struct{ entries, want string }{
		"Away":             {``, "A/1"},
		"PatientByFullURL": {`,{"fullUrl":"A/1","resource":{"resourceType":"Patient","identifier":[{"value":""},{"value":"7"}]}}`, "|7"},
		"PatientUnknown":   {`,{"fullUrl":"A/1","resource":{"resourceType":"Patient","identifier":null}}`, "A/1"},
		"Cycle":            {`,{"resource":{"resourceType":"A","id":1,"subject":{"reference":"A/1"}}}`, "A/1"},
		"NoSubject":        {`,{"resource":{"resourceType":"A","id":"1"}}`, "A/1"},
		"SubjectAway":      {`,{"resource":{"resourceType":"A","id":"1","subject":{"reference":"Patient/9"}}}`, "Patient/9"},
		"PatientField":     {`,{"resource":{"resourceType":"A","id":"1","subject":null,"patient":{"reference":"Patient/9"}}}`, "Patient/9"},
		"SubjectByID":      {`,{"resource":{"resourceType":"A","id":"1","subject":{"identifier":{"system":"s","value":"v"}}}}`, "s|v"},
		"SubjectIsAList":   {`,{"resource":{"resourceType":"A","id":"1","subject":[]}}`, "A/1"},
		"OneIdentifier":    {`,{"resource":{"resourceType":"A","id":"1","identifier":{"value":"x"},"subject":{"reference":"Patient/9"}}}`, "Patient/9"},
		"ManyHops": {`,{"resource":{"resourceType":"A","id":"1","subject":{"reference":"A/2"}}},{"resource":{"resourceType":"A","id":"2","subject":{"reference":"A/3"}}},` +
			`{"resource":{"resourceType":"A","id":"3","subject":{"reference":"A/4"}}}`, "A/4"},
	} {
		e := parseOne(t, redoxSource(), posted(fmt.Sprintf(bundle, tt.entries)))
		require.Equal(t, tt.want, e.Subject, name)
		require.Equal(t, "fhir:X", e.Type)
	}
	for _, header := range []string{`"focus":[{"reference":"A/1"}]`, `"eventUri":"x"`, `"eventUri":"x","focus":[]`, `"eventUri":"x","focus":[{}]`} {
		_, err := redoxSource().Parse(posted(`{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader",` + header + `}}]}`))
		require.ErrorIs(t, err, providers.ErrNotUnderstood, header)
	}
}

// A fixed word in place of an id would make all messages one event.
func TestFHIRFixedWordsAreNoKeys(t *testing.T) {
	t.Parallel()
	key := func(header, bundle, note string) providers.Event {
		return parseOne(t, redoxSource(), posted(fmt.Sprintf(`{"resourceType":"Bundle","type":"message","id":%q,"note":%q,"entry":[{"resource":`+
			`{"resourceType":"MessageHeader","id":%q,"eventUri":"x","focus":[{"reference":"A/1"}]}}]}`, bundle, note, header)))
	}
	const id = "9c0e7a4b-2f68-5d1a-8f6e-3b7c1d2e4a55"
	require.Equal(t, id, key(id, "bundle", "").Key)
	require.Equal(t, "b-17", key("message", "b-17", "").Key)
	one, other := key("message", "bundle", "1"), key("message", "bundle", "2")
	require.NotEqual(t, one.Key, other.Key)
	require.Equal(t, 24*time.Hour, one.KeyLife)
}

func TestSocialBoardsBoundsWhatAStrangerCanMake(t *testing.T) {
	t.Parallel()
	body := func(n int) string {
		return `{"CommunityName":"shop","EventType":"x","TicketId":1,"Events":[` + strings.Repeat("null,", n-1) + `null]}`
	}
	p := sources()["socialboards"]
	events, err := p.Parse(posted(body(1000)))
	require.NoError(t, err)
	keys := map[string]bool{}
	for _, e := range events {
		keys[e.Key] = true
		require.Equal(t, 10*time.Minute, e.KeyLife)
	}
	require.Len(t, keys, 1000, "equal elements are separate events")
	_, err = p.Parse(posted(body(1001)))
	require.ErrorIs(t, err, providers.ErrNotUnderstood)
}
