package cputime_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/bench/cputime"
)

// reported is what a benchmark would print.
type reported map[string]float64

func (r reported) ReportMetric(n float64, unit string) { r[unit] = n }

// Not parallel: what is measured is the whole process.
func TestWorkCountsAndWaitingDoesNot(t *testing.T) {
	worked, shared, waited := reported{}, reported{}, reported{}
	report, begun := cputime.Start(), time.Now()
	for sum := [32]byte{}; time.Since(begun) < 200*time.Millisecond; {
		for range 1000 {
			sum = sha256.Sum256(sum[:])
		}
	}
	report(worked, 1)
	report(shared, 10)
	report = cputime.Start()
	<-time.After(200 * time.Millisecond)
	report(waited, 0)

	require.Positive(t, worked[cputime.Unit])
	require.InEpsilon(t, worked[cputime.Unit]/10, shared[cputime.Unit], 0.5, "of ten operations each had a tenth")
	require.Less(t, waited[cputime.Unit], worked[cputime.Unit]/2)
}
