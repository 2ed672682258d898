// Package operator is the API that people and the command line use to look at
// events and subjects and to act on them, with the process's health and metrics
// beside it.
//
// It promises that a verb is written to the subject row, and so in force, before
// it is answered, whether Temporal is up or not; that it never guesses, so that an
// unknown parameter or field is refused with the name of it; and that without a
// token nobody but the machine's own users gets in, and no web page in their
// browser either. Everything it answers but a payload is JSON, of the types in
// wire.go, which are only ever added to.
package operator
