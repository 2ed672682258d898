package examples_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/activities/examples"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// bundle is a log, and the handlers that write to it.
type bundle struct {
	*bytes.Buffer
	log      *slog.Logger
	handlers map[string]activities.Handler // by dialect
}

func setup(*testing.T) bundle {
	b := bundle{Buffer: &bytes.Buffer{}}
	b.log = slog.New(slog.NewJSONHandler(b, nil))
	b.handlers = map[string]activities.Handler{
		"redo": examples.Redo(b.log), "redox": examples.Redox(b.log),
		"redeam": examples.Redeam(b.log, nil), "socialboards": examples.SocialBoards(b.log),
	}
	return b
}

// line returns what was logged, which must be one line.
func (b bundle) line(t *testing.T) map[string]any {
	t.Helper()
	require.Equal(t, 1, strings.Count(b.String(), "\n"), "one line: %s", b)
	var line map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &line))
	return line
}

// sample makes an event of a sample body, as a drain hands it to a handler.
func sample(t *testing.T, dialect, kind string) activities.Event {
	t.Helper()
	s, err := samples.Make(dialect, samples.Options{Secret: "s3cret", Type: kind, At: time.Unix(1773480413, 0)})
	require.NoError(t, err)
	return activities.Event{
		ID: "0198-id", Sequence: 7, Subject: dialect + "/hmac:0011", Source: dialect, Provider: dialect,
		Type: s.Type, Attempt: 1, ContentType: "application/json", Body: s.Body,
	}
}

func TestEveryProviderHasAnExample(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, d := range providers.Dialects() {
		h, found := b.handlers[d.Name]
		require.True(t, found, "write an example handler for %s, and add it to setup", d.Name)
		require.Equal(t, "example-"+d.Name, h.Name)
	}
}

// TestEverySampleIsHandled also looks for what must not be in a log.
func TestEverySampleIsHandled(t *testing.T) {
	t.Parallel()
	for _, d := range providers.Dialects() {
		for _, kind := range samples.Types(d.Name) {
			t.Run(d.Name+" "+kind, func(t *testing.T) {
				t.Parallel()
				if kind == samples.Handshake || kind == "PatientSearch:Query" {
					return // no event
				}
				b := setup(t)
				e := sample(t, d.Name, kind)
				e.Related = []string{"redox/hmac:2233"} // what a merge has; no other example looks
				require.NoError(t, b.handlers[d.Name].Handle(t.Context(), e))
				line := b.line(t)
				require.Equal(t, e.ID, line["event_id"])
				require.Equal(t, e.Subject, line["subject"])
				require.NotContains(t, b.String(), "s3cret")
				for _, personal := range []string{
					"Ingrid", "ingrid.solheim", "parcel has not moved", "NL0048213", "NL0060044", "Adeyemi", "Rosalind", "@", "Boulder",
				} {
					require.NotContains(t, b.String(), personal)
				}
			})
		}
	}
}

func TestWhatIsLogged(t *testing.T) {
	t.Parallel()
	const product = "/suppliers/b4f6d0c8-1e2a-4c55-9f0d-77a1c3e5d901/products/6e0a9b12-3c4d-4e5f-8a6b-90c1d2e3f405"
	for _, c := range []struct {
		dialect, kind, attribute string
		want                     any
	}{
		{"redo", "return.updated", "status", "delivered"},
		{"redox", "PatientAdmin:Arrival", "test", false},
		{"redeam", "product.updated", "path", product},
		{"redeam", "availability.updated", "path", product},
		{"redeam", "rate.updated", "path", product + "/rates/0f9e8d7c-6b5a-4f43-b2c1-a09876543210"},
		{"redeam", "booking.updated", "path", "/bookings/BK-20417"},
		{"redeam", "supplier.updated", "path", "/suppliers/b4f6d0c8-1e2a-4c55-9f0d-77a1c3e5d901"},
		{"socialboards", "ticket_status_change", "status_before", "open"},
		{"socialboards", "conversation_created", "closed", false},
	} {
		t.Run(c.kind+" "+c.attribute, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			require.NoError(t, b.handlers[c.dialect].Handle(t.Context(), sample(t, c.dialect, c.kind)))
			require.Equal(t, c.want, b.line(t)[c.attribute])
		})
	}
}

// TestSocialBoardsReadsItsOwnElement: one request, several events.
func TestSocialBoardsReadsItsOwnElement(t *testing.T) {
	t.Parallel()
	e := activities.Event{Type: "ticket_status_change", Body: []byte(`{"TicketId":1,"Events":[{"Ticket":{"Id":1,"Status":"open"}},{"Ticket":{"Id":2,"Status":"closed"}}]}`)}
	for index, want := range []string{"1", "2"} {
		b := setup(t)
		e.Index = index
		require.NoError(t, b.handlers["socialboards"].Handle(t.Context(), e))
		require.Equal(t, want, b.line(t)["ticket"])
	}
	b := setup(t)
	e.Index = 2
	require.Equal(t, activities.Parked, activities.Classify(b.handlers["socialboards"].Handle(t.Context(), e)))
	e.Body, e.Index = []byte(`{"TicketId":3,"Events":[]}`), 0
	require.NoError(t, b.handlers["socialboards"].Handle(t.Context(), e))
	require.Equal(t, "3", b.line(t)["ticket"])
}

// TestWhatCannotBeUsedIsParked, and its error repeats nothing of the body.
func TestWhatCannotBeUsedIsParked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for dialect, bodies := range map[string][]string{
		"redo":         {`{`, `[]`, `{"return":{"id":987001}}`, `{"return":{"id":"r1"}}`, `{"type":"x","rma":987001}`},
		"redox":        {`{`, `{"Meta":987001}`, `{"Meta":{"EventType":"New"}}`, `{"resourceType":"Patient"}`},
		"redeam":       {`{`, `{}`, `{"supplierID":"987001"}`, `{"productID":987001}`},
		"socialboards": {`{`, `{"Events":{"Ticket":987001}}`, `{"Events":[{"Ticket":{"Id":"987001x"}}]}`},
	} {
		for _, body := range bodies {
			err := b.handlers[dialect].Handle(t.Context(), activities.Event{Type: "product.updated", Body: []byte(body)})
			require.Equal(t, activities.Parked, activities.Classify(err), "%s %s", dialect, body)
			require.NotContains(t, err.Error(), "987001")
		}
	}
	require.Empty(t, b.String())
}

func TestAMergeOfNothingHoldsThePatient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := sample(t, "redox", "PatientAdmin:Arrival")
	e.Type = "PatientAdmin:PatientMerge"
	require.Equal(t, activities.CriticalFail, activities.Classify(b.handlers["redox"].Handle(t.Context(), e)))
	e.Related = []string{"redox/MR:2"}
	require.NoError(t, b.handlers["redox"].Handle(t.Context(), e))
}
