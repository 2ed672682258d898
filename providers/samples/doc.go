// Package samples makes webhooks as the senders would send them, correctly
// signed: for the send command, for dev mode and for end-to-end tests. It shares
// no code with the dialects that verify them, so that the two can disagree.
//
// To add a dialect, add one file with its types and its bodies, and one line in
// dialects.
package samples
