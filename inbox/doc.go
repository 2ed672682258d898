// Package inbox is the durable, ordered store of accepted events: the only
// place where a payload lives, and the truth about every subject.
//
// It promises that what Append returned is on disk; that inside a subject
// sequence order is the order of commit; that an event is settled once; and that
// whoever lost a subject's epoch can settle nothing more. It decides nothing
// about handlers, retries or time: every moment and every policy comes in with
// the call.
//
// inbox/sqlite is the embedded store, inbox/postgres the one that a fleet shares. Any
// store must pass inbox/inboxtest.
package inbox
