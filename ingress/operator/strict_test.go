package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress/operator"
)

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	f := newOffice(t)
	f.accept(t, "redo/r1", 1)
	many := `{"sequences":[` + strings.Repeat("1,", 1000) + `1]}`
	for _, tt := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/api/v1/events?state=held", "", 400, `unknown parameter \"state\": this path takes subject, source, status`},
		{"GET", "/api/v1/events?status=done", "", 400, "status must be one of pending, delivered, parked, failed, quarantined"},
		{"GET", "/api/v1/events?limit=0", "", 400, "limit must be a number from 1 to 1000, for example limit=50"},
		{"GET", "/api/v1/events?limit=1001", "", 400, "limit must be"},
		{"GET", "/api/v1/events?limit=", "", 400, "limit must be"},
		{"GET", "/api/v1/events?after=x", "", 400, "after must be a sequence"},
		{"GET", "/api/v1/events?after=-1", "", 400, "after must be a sequence"},
		{"GET", "/api/v1/events?before=0", "", 400, "before must be a sequence, for example before=1042"},
		{"GET", "/api/v1/events?before=", "", 400, "before must be a sequence"},
		{"GET", "/api/v1/events?newest=", "", 400, "newest must be true or false"},
		{"GET", "/api/v1/events?newest=1", "", 400, "newest must be true or false, for example newest=true"},
		{"GET", "/api/v1/events?newest=true&after=0", "", 400, "give newest or after, not both"},
		{"GET", "/api/v1/events?from=yesterday", "", 400, "from must be an RFC 3339 time, for example from=2026"},
		{"GET", "/api/v1/events?to=2026-01-01", "", 400, "to must be an RFC 3339 time"},
		{"GET", "/api/v1/events?source=a&source=b", "", 400, `parameter \"source\" is given more than once`},
		{"GET", "/api/v1/events?subject=%zz", "", 400, "percent-encode"},
		{"GET", "/api/v1/events/x", "", 400, "named by its sequence"},
		{"GET", "/api/v1/events/0", "", 400, "named by its sequence"},
		{"GET", "/api/v1/events/99999999999999999999", "", 400, "named by its sequence"},
		{"GET", "/api/v1/events/1?x=1", "", 400, "this path takes none"},
		{"GET", "/api/v1/events/4711", "", 404, "event 4711: not found"},
		{"GET", "/api/v1/events/4711/payload", "", 404, "payload of event 4711: not found"},
		{"GET", "/api/v1/subjects?state=idle", "", 400, "state must be pending, retrying or held"},
		{"GET", "/api/v1/subject", "", 400, "id must name a subject"},
		{"GET", "/api/v1/subject?id=redo/nobody", "", 404, `subject \"redo/nobody\": not found`},
		{"GET", "/api/v1/subject/audit?id=redo/nobody", "", 404, "not found"},
		{"GET", "/api/v1/subject/audit?id=redo/r1&limit=x", "", 400, "limit must be"},
		{"GET", "/api/v2/events", "", 404, "no such path"},
		{"DELETE", "/api/v1/events", "", 405, "method not allowed"},
		{"GET", "/api/v1/subject/pause?id=redo/r1", "", 405, "method not allowed"},
		{"POST", "/api/v1/subject/pause", "{}", 400, "id must name a subject"},
		{"POST", "/api/v1/subject/pause?id=redo/nobody", "{}", 404, "not found"},
		{"POST", "/api/v1/subject/pause?id=redo/r1&by=kim", "{}", 400, `unknown parameter \"by\"`},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"untill":"2h"}`, 400, `unknown field \"untill\"`},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"until":"soon"}`, 400, "until must be an RFC 3339 time or a duration"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"until":"-2h"}`, 400, "until must be in the future"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"until":"2026-03-14T12:00:00Z"}`, 400, "until must be in the future"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"sequence":1}`, 400, "sequence is only for park"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"sequence":"1"}`, 400, `field \"sequence\" must be a whole number`},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"by":"Holdfast"}`, 400, "that is the failure policy"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"reason":"` + strings.Repeat("x", 1001) + `"}`, 400, "reason must not be longer than 1000"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{"reason":"` + strings.Repeat("x", 70000) + `"}`, 400, "the body must not be longer"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `{} {}`, 400, "one JSON object"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `[]`, 400, "must be a"},
		{"POST", "/api/v1/subject/pause?id=redo/r1", `nonsense`, 400, "must be a JSON object, for example"},
		{"POST", "/api/v1/subject/resume?id=redo/r1", `{"until":"2h"}`, 400, "until is only for pause"},
		{"POST", "/api/v1/subject/park?id=redo/r1", `{"reason":"x"}`, 400, "park needs the sequence"},
		{"POST", "/api/v1/subject/park?id=redo/r1", `{"sequence":1,"reason":" "}`, 400, "park needs a reason"},
		{"POST", "/api/v1/subject/park?id=redo/r1", `{"sequence":4711,"reason":"x"}`, 409, "there is no event 4711"},
		{"POST", "/api/v1/events/replay", `{}`, 400, "say what to replay"},
		{"POST", "/api/v1/events/replay", `{"limit":5}`, 400, "say what to replay"},
		{"POST", "/api/v1/events/replay", `{"sequences":[1],"source":"redo"}`, 400, "not both"},
		{"POST", "/api/v1/events/replay", `{"sequences":[0]}`, 400, "sequences must be numbers from 1"},
		{"POST", "/api/v1/events/replay", many, 400, "more than 1000"},
		{"POST", "/api/v1/events/replay", `{"source":"redo","limit":-1}`, 400, "limit must be"},
		{"POST", "/api/v1/events/replay", `{"source":"redo","from":"x"}`, 400, "from must be"},
		{"POST", "/api/v1/events/replay?source=redo", `{"source":"redo"}`, 400, "unknown parameter"},
		{"POST", "/api/v1/events/replay", `{"sequences":"all"}`, 400, `field \"sequences\" must be a list`},
	} {
		name := fmt.Sprintf("%s %s %.40s", tt.method, tt.path, tt.body)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := f.do(t, tt.method, tt.path, tt.body)
			require.Equal(t, tt.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), tt.says)
			var body operator.ErrorJSON
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		})
	}
	require.Empty(t, f.bell.told)
	require.Empty(t, f.bell.rung)
}

// full is an inbox in which every field of everything has a value.
type full struct{ inbox.Operator }

func (full) Event(context.Context, int64) (inbox.Event, error) { return fullEvent(), nil }

func fullEvent() inbox.Event {
	return inbox.Event{
		Sequence: 42, EventID: "018f", Source: "redo", Provider: "redo", Subject: "redo/r1", Type: "return.updated",
		Key: "r1@1", At: noon.In(time.FixedZone("", 7200)), ReceivedAt: noon.Add(time.Second), Index: 1, Related: []string{"redo/r2"},
		Staging: true, Status: inbox.StatusParked, Attempts: 3, Reason: "malformed", Handler: "app", SettledAt: noon.Add(time.Minute),
		Run: "019b", Redo: 1, ReplayOf: 7,
	}
}

func (full) Events(context.Context, inbox.EventFilter) ([]inbox.Event, error) {
	return []inbox.Event{fullEvent(), {Sequence: 43, Status: inbox.StatusPending}}, nil
}

func (full) Subject(_ context.Context, id string) (inbox.SubjectView, error) {
	if id == "bare" {
		return inbox.SubjectView{Subject: inbox.Subject{ID: "redo/bare", Name: "redo/bare", Source: "redo"}}, nil
	}
	head := fullEvent()
	return inbox.SubjectView{
		Subject: inbox.Subject{
			ID: "redo/hmac:00", Name: "redo/r1", Source: "redo", Pending: 2, Epoch: 9, Held: true, HeldUntil: noon.Add(time.Hour),
			HeldBy: inbox.HeldByPolicy, HeldReason: "404 Not Found", Streak: 4, Spent: time.Minute, Holds: 2,
			NextWake: noon.Add(time.Hour), LastError: "404 Not Found", FailedAt: noon,
		},
		Head: &head,
	}, nil
}

func (full) Audit(context.Context, string, int) ([]inbox.AuditEntry, error) {
	return []inbox.AuditEntry{
		{At: noon, Verb: "park", Subject: "redo/r1", Sequence: 42, Reason: "malformed", By: "kim"},
		{At: noon, Verb: "pause", Subject: "redo/r1", Reason: "deploy", By: "kim", Until: noon.Add(time.Hour)},
	}, nil
}

func (full) Replay(_ context.Context, r inbox.Replay) (inbox.Replayed, error) {
	return inbox.Replayed{Events: []inbox.Event{fullEvent()}, Skipped: 1, More: 42}, nil
}

// TestGolden pins the JSON that scripts read. Its files are only ever added to;
// UPDATE_GOLDEN=1 writes them.
func TestGolden(t *testing.T) {
	t.Parallel()
	f := newOffice(t, func(o *operator.Options) { o.Inbox = full{} })
	for name, call := range map[string][3]string{
		"event":        {"GET", operator.PathEvents + "/42", ""},
		"events":       {"GET", operator.PathEvents + "?limit=1", ""},
		"events_last":  {"GET", operator.PathEvents, ""},
		"subject":      {"GET", operator.PathSubject + "?id=redo/r1", ""},
		"subject_bare": {"GET", operator.PathSubject + "?id=bare", ""},
		"audit":        {"GET", operator.PathSubjectAudit + "?id=redo/r1", ""},
		"replay":       {"POST", operator.PathReplay, `{"source":"redo","dry_run":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := f.do(t, call[0], call[1], call[2])
			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			var pretty strings.Builder
			encoder := json.NewEncoder(&pretty)
			encoder.SetIndent("", "  ")
			require.NoError(t, encoder.Encode(json.RawMessage(w.Body.Bytes())))
			file := filepath.Join("testdata", name+".json")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(file, []byte(pretty.String()), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), pretty.String())
		})
	}
}

func TestTimesSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	f := newOffice(t, func(o *operator.Options) { o.Inbox = full{} })
	subject := ask[operator.SubjectJSON](t, f, "GET", operator.PathSubject+"?id=redo/r1", "")
	require.True(t, noon.Truncate(time.Microsecond).Equal(subject.FailedAt.Time))
	bare := ask[operator.SubjectJSON](t, f, "GET", operator.PathSubject+"?id=bare", "")
	require.True(t, bare.HeldUntil.IsZero())
}
