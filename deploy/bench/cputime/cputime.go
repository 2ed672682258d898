// Package cputime tells how much processor time an operation of a benchmark took:
// of all threads of the process, in user and system mode. Unlike the time on the
// wall it does not grow when the machine has other work, or a slow disk.
package cputime

import (
	"syscall"
	"time"
)

// Reporter is a *testing.B.
type Reporter interface {
	ReportMetric(n float64, unit string)
}

// Unit is what the metric is called in a benchmark's output.
const Unit = "cpu-ns/op"

// Start begins to measure. Call what it returns with the number of operations since.
func Start() (report func(to Reporter, operations int)) {
	before := used()
	return func(to Reporter, operations int) {
		to.ReportMetric(float64(used()-before)/float64(max(operations, 1)), Unit)
	}
}

func used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // only a wrong argument can be the reason
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
