// Package doorbell wakes the workflows of subjects. The Ringer carries rings to
// Temporal without ever making a request wait; the Sweeper repairs what was not
// rung, and keeps the inbox in order.
//
// A ring carries no data and may be lost: what is to be done is in the inbox,
// and the Sweeper rings whatever waits there for too long.
package doorbell
