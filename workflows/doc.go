// Package workflows is the executor of subjects: one workflow for each subject
// that has work, and its contract with the rest of the world.
//
// A run holds no queue. It drains the subject in the inbox, runs what failed as
// a recovery activity whose waits are Temporal's, stands still while the subject
// is held, and completes when nothing is left. It reads no settings, no clock
// and no environment: what it acts on comes with its input or a recorded result.
// The package imports no other package of ours.
package workflows
