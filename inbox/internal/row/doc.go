// Package row is what every store decides alike: the rules of the subject row,
// which is the subject's lock, and of keys, verbs and replays. It is pure. A store
// reads a Row under its lock, asks it, writes it back, and brings the SQL.
//
// The methods that decide come in the order in which they are called. One that
// refuses has changed nothing.
package row
