// Package providers knows the dialects of the senders: how each proves that a
// webhook is genuine, which events a request carries, and how the sender wants
// to be told yes and no.
//
// A provider does no I/O, keeps no state, and knows neither Gin nor Temporal
// nor the name of its own source. It is given a request as a value and asked
// small questions about it. The only clock it may use is Request.ReceivedAt.
//
// To add one, write one file with its configuration and its type, one test that
// calls providertest, one folder of recorded requests under testdata, and one
// line in Dialects. A test fails when the line or the folder is missing.
package providers
