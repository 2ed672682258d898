package operator

import "github.com/holdfast-project/holdfast/inbox"

func eventsJSON(events []inbox.Event) []EventJSON {
	converted := make([]EventJSON, 0, len(events))
	for _, e := range events {
		converted = append(converted, eventJSON(e))
	}
	return converted
}

func eventJSON(e inbox.Event) EventJSON {
	related := e.Related
	if related == nil {
		related = []string{}
	}
	return EventJSON{
		Sequence: e.Sequence, EventID: e.EventID, Source: e.Source, Provider: e.Provider,
		Subject: e.Subject, Type: e.Type, Key: e.Key, At: Time{e.At}, ReceivedAt: Time{e.ReceivedAt},
		Status: string(e.Status), Attempts: e.Attempts, Reason: e.Reason, Handler: e.Handler,
		SettledAt: Time{e.SettledAt}, Run: e.Run, ReplayOf: number(e.ReplayOf), Index: e.Index, Related: related,
		Staging: e.Staging, Redo: e.Redo,
	}
}

func subjectJSON(s inbox.SubjectView) SubjectJSON {
	converted := SubjectJSON{
		ID: s.ID, Name: s.Name, Source: s.Source, State: string(s.State()), Pending: s.Pending,
		Held: s.Held, HeldUntil: Time{s.HeldUntil}, HeldBy: s.HeldBy, HeldReason: s.HeldReason,
		NextWake: Time{s.NextWake}, LastError: s.LastError, FailedAt: Time{s.FailedAt},
		Failures: s.Streak, Holds: s.Holds, Epoch: s.Epoch,
	}
	if s.Head != nil {
		head := eventJSON(*s.Head)
		converted.Head = &head
	}
	return converted
}

func auditJSON(entries []inbox.AuditEntry) AuditJSON {
	converted := AuditJSON{Audit: make([]AuditEntryJSON, 0, len(entries))}
	for _, e := range entries {
		converted.Audit = append(converted.Audit, AuditEntryJSON{
			At: Time{e.At}, Verb: e.Verb, Subject: e.Subject, Sequence: number(e.Sequence),
			Reason: e.Reason, By: e.By, Until: Time{e.Until},
		})
	}
	return converted
}

// number is nil for the 0 that stands for none.
func number(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
