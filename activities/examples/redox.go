package examples

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/holdfast-project/holdfast/activities"
)

// errMerge holds the patient's queue: what comes after a merge that was not
// applied would be filed under the wrong record, so a person looks first.
var errMerge = activities.Critical(errors.New("a PatientMerge does not say which record goes away"))

// Redox is example-redox. A body is a data model message, with a Meta block, or a
// FHIR bundle; the event's type tells which event it is in both. Everything else
// in it is a patient's: the log has counts, and the subject ID, which is an HMAC if
// the source has a SUBJECT_HASH_KEY.
func Redox(log *slog.Logger) activities.Handler {
	return activities.Handler{Name: "example-redox", Handle: func(ctx context.Context, e activities.Event) error {
		var body struct {
			Meta struct {
				DataModel string
				Test      bool
			}
			ResourceType string            `json:"resourceType"`
			Entry        []json.RawMessage `json:"entry"`
		}
		if json.Unmarshal(e.Body, &body) != nil || (body.Meta.DataModel == "" && body.ResourceType != "Bundle") {
			return errShape
		}
		// The previous identifiers of a merge are the event's related subjects.
		if e.Type == "PatientAdmin:PatientMerge" && len(e.Related) == 0 {
			return errMerge
		}
		log.LogAttrs(ctx, slog.LevelInfo, "example: a health record", about(e,
			slog.Bool("test", body.Meta.Test), slog.Int("fhir_entries", len(body.Entry)),
			slog.Int("related", len(e.Related)))...)
		return nil
	}}
}
