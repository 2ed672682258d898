package providers_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

func redoxSource() *providers.Redox {
	return providers.Make(&providers.RedoxConfig{Token: "t0ken", IdentifierTypes: []string{"MR"}}).(*providers.Redox)
}

func refusal(t *testing.T, body string, status int, text string) providers.Answer {
	t.Helper()
	answer := redoxSource().Refuse(providers.Request{Method: http.MethodPost, Body: []byte(body)}, status, text)
	require.Equal(t, status, answer.Status)
	require.True(t, json.Valid(answer.Body))
	return answer
}

func file(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/redox/" + name)
	require.NoError(t, err)
	return string(b)
}

func TestRedoxDataModelIsRefusedAsRedoxDocumentsIt(t *testing.T) {
	t.Parallel()
	answer := refusal(t, file(t, "patientadmin-arrival/body.json"), http.StatusServiceUnavailable, "Visit.VisitNumber is missing")
	require.Equal(t, "application/json", answer.ContentType)
	require.JSONEq(t, file(t, "error-response-datamodel.json"), string(answer.Body))
}

func TestRedoxFHIRIsRefusedWithAnOperationOutcome(t *testing.T) {
	t.Parallel()
	const text = "No resource in the bundle matches MessageHeader.focus[0]"
	answer := refusal(t, file(t, "fhir-patientadmin-created/body.json"), http.StatusUnprocessableEntity, text)
	require.Equal(t, "application/fhir+json", answer.ContentType)

	var documented map[string]any
	require.NoError(t, json.Unmarshal([]byte(file(t, "error-response-fhir.json")), &documented))
	delete(documented["issue"].([]any)[0].(map[string]any), "diagnostics") // optional, and ours to leave out
	want, err := json.Marshal(documented)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(answer.Body))
}

func TestRedoxUnreadableBodyIsRefusedInMetaForm(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", "[]", "null", "MSH|^~", `{"Meta":`, `{"x":1,`, `{"Meta":{"DataModel":1}}`[:10]} {
		answer := refusal(t, body, http.StatusRequestEntityTooLarge, "too large")
		require.JSONEq(t, `{"Meta":{"Errors":[{"Text":"too large"}]}}`, string(answer.Body), body)
	}
}

func TestRedoxRefusalLooksAtNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	long := `{"Meta":{"DataModel":"PatientAdmin","EventType":"Arrival"},"x":"` + strings.Repeat("x", 1<<20)
	require.JSONEq(t, `{"Meta":{"DataModel":"PatientAdmin","EventType":"Arrival","Errors":[{"Text":"t"}]}}`,
		string(refusal(t, long, http.StatusServiceUnavailable, "t").Body), "a body cut off")
	require.Contains(t, string(refusal(t, `{"resourceType":"Bundle","x":"`+strings.Repeat("x", 1<<20), 503, "t").Body), "OperationOutcome")

	named := `{"Meta":{"DataModel":"` + strings.Repeat("x", 1000) + `","EventType":"Arrival"}}`
	require.JSONEq(t, `{"Meta":{"Errors":[{"Text":"t"}]}}`, string(refusal(t, named, 503, "t").Body), "an endless name is not echoed")
}

func TestRedoxStrangersAreToldNothing(t *testing.T) {
	t.Parallel()
	answer := refusal(t, file(t, "patientadmin-arrival/body.json"), http.StatusUnauthorized, "unauthorized")
	require.JSONEq(t, `{"Meta":{"Errors":[{"Text":"unauthorized"}]}}`, string(answer.Body))
}

func TestFHIRIssueCodesFollowTheStatus(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]string{
		400: "invalid", 401: "login", 404: "not-found", 405: "not-supported", 413: "too-long",
		418: "processing", 422: "required", 429: "throttled", 501: "not-supported", 503: "transient",
	} {
		require.Contains(t, string(refusal(t, `{"resourceType":"Bundle"}`, status, "t").Body), `"code":"`+code+`"`)
	}
}
