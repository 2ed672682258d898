// Package verdict judges a run under load by records that are made outside of
// Holdfast: what the senders sent and were answered, what the destination was given,
// and, in a chaos run, when which fault was on.
//
// It knows nothing of how Holdfast works, only what it promises:
//
//   - lost: an event that was answered with a 2xx, and that the destination never
//     answered with a 2xx;
//   - out of order: an event whose first delivery began before the event before it
//     in its subject had been answered with a 2xx, or that has a smaller sequence;
//   - repeated: a delivery of an event that began after one that the destination
//     answered with a 2xx. It is in flight if that one was being handled or settled
//     while a fault was on that its worker could feel, and no newer event of the
//     subject had begun since; late if a worker that had been frozen sent it when it
//     was thawed, one for each freeze; else it has no explanation.
//
// An ingress's death, and the deployment of a new worker version, explain no repeat.
// A run also fails when an event is accepted twice, changed on its way, or told two
// sequences or keys, when the fleet does not recover from a fault, and when an ingress
// or a worker ends by itself.
package verdict
