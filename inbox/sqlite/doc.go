// Package sqlite is the embedded inbox: one SQLite database on a local disk,
// opened by one process.
package sqlite
