// Package activities does the work: it drains subjects, tries again what failed,
// and carries out operators' verbs, as Temporal activities over the inbox.
//
// A Handler is the work for an event: a Go function, or an HTTP destination. It
// runs at least once per event, for one event of a subject at a time, in
// sequence order, and every run of one event is told the same Event.ID. Returning
// nil settles the event as delivered. A plain error is tried again with backoff;
// Critical holds the subject; Park sets the event aside; RetryAfter sets a floor
// to the wait. The text of an error reaches Temporal, logs and operators: keep
// payloads and secrets out of it.
//
// To add a handler, write a Handler, add it to the list in cmd/holdfast, and name
// it in HOLDFAST_ROUTES as go:<its name>.
package activities
