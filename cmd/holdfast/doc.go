// Command holdfast is the one binary of Holdfast: the processes (dev, all,
// ingress, worker) and the tools to work with them (send, bench, events,
// subjects, settings, version).
//
// There is a file per command. A command that talks to a running process knows
// only its HTTP surface; the processes are wired by hand, in the order of
// dependency. To add a command, write its file and add its line in root.go.
package main
