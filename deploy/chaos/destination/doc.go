// Package destination is a server that events are delivered to, outside of the
// fleet that is put to the test. It keeps every delivery, and says at once when one
// comes out of order. It is a little slow, and refuses some events at first.
package destination
