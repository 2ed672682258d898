// Package ingress is the door: it receives webhooks, verifies them, makes them
// durable and answers.
//
// It promises that a 2xx is sent only for events that are on disk; that nothing
// genuine is refused for good, so what is not understood is stored as quarantined
// and whatever we are unsure of is a 503; that no request waits for Temporal; and
// that no payload, query, header value or secret reaches a log, a metric or an
// error. It knows no sender: a provider's dialect decides what is genuine, what is
// in it, and how its sender wants to be answered.
//
// What strangers can take of it is bounded: connections (connections), their
// headers (maxHeaderBytes, maxHeaderLines), bodies (budget) and time (pace), and
// none of it is taken from those who come after. Compressed bodies are refused.
//
// The operator's API is in ingress/operator, the way to Temporal in
// ingress/doorbell.
package ingress
