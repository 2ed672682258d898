// Package load sends signed events of many subjects, as real senders do: a sender
// waits for the 2xx of an event before it sends its subject's next, and repeats what
// was refused for now or not answered, with the same body, later and later. Some
// events are sent a second time on purpose, at once or seconds later.
package load
