// Package bench measures a running Holdfast from both of its ends: it sends signed
// webhooks to the ingress, and it is the destination that the events are routed to. So
// it knows when each event was sent, accepted and delivered, and judges without asking
// Holdfast: package verdict's rules on loss and order are those of the chaos runs.
//
// Senders behave as real ones do: each waits for the answer to an event before it sends
// its subject's next, and repeats what was refused for now or not answered.
//
// Before the load, one event goes through each of the URLs and must come back. A
// Holdfast that routes elsewhere is given no more than that, and a delivery of
// something that no bench sent is refused, so that Holdfast keeps it.
//
// All events are kept in memory until they are judged, at less than a kilobyte each.
package bench
