// Package precedence lets the door of a process go first. A webhook at the door may be
// lost: its sender pushes once, waits a few seconds, and goes away. One in the inbox is
// safe, and nobody waits for it but its successors. So while more webhooks arrive than
// are acknowledged at once, the drains of the same process begin only a part of what the
// crowding source sends, and have the rest of the processor for themselves as soon as the
// crowd is over. A source is not touched while its drains begin no more than a calm one
// sends; to work off a backlog faster it waits for the crowd's end, too. A crowd that
// stays is no crowd but the load: then as many events begin as are accepted.
//
// The doorbell of the same process asks who Crowds, and begins fewer runs of that source's
// subjects meanwhile.
//
// It says nothing about order: an event that waits here keeps its place, and so do
// those behind it.
package precedence
