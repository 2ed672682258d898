package postgres

import "time"

// MigrateFiles lets a test bring migrations of its own.
var MigrateFiles = migrate

// ParseURL is how a store reads its URL.
var ParseURL = parseURL

// The statements whose plans a test looks at.
const (
	NextSQL      = nextSQL
	UnrungSQL    = unrungSQL
	LockRows     = lockRows
	ReadPending  = readPending
	ReadHeads    = readHeads
	RowsUpdate   = rowsUpdate
	EventsSettle = eventsSettle
	CountSQL     = countSQL
)

// EventsQuery is the statement of a list of events.
var EventsQuery = eventsQuery

// Stamp is a time as an argument.
func Stamp(t time.Time) any { return stampOf(t) }
