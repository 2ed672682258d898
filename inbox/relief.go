package inbox

import "strings"

// reliefPrefix begins what stands for a run when a worker drains a subject without
// one. No Temporal run ID has a slash.
const reliefPrefix = "relief/"

// ReliefRun is the RunID with which the relief lane claims and settles: a worker that
// drains one subject itself because the subject's workflow has waited too long to be
// started. What is unique must be: two drains with one RunID do not keep each other out.
//
// Its claim is no reset's. Its settlements have no OriginalRunID, so no reset of a
// workflow reopens what they settled.
func ReliefRun(unique string) string { return reliefPrefix + unique }

// IsRelief tells whether a RunID is the relief lane's.
func IsRelief(run string) bool { return strings.HasPrefix(run, reliefPrefix) }
