package verdict_test

import (
	"fmt"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a moment of the run, in seconds.
func at(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }

// run is a record in the making: a run in which all went well, to be spoilt.
type run struct{ verdict.Record }

// newRun has one subject with events 0, 1 and 2, sent and delivered in the seconds
// 1, 2 and 3 by worker-1, and a kill of that worker that is over long before.
func newRun() *run {
	r := &run{verdict.Record{Seed: 7, Began: began, Ended: at(100), Subjects: 1}}
	for n := range 3 {
		r.accept("s1", n, float64(n+1))
		r.deliver("s1", n, float64(n+1)+0.1)
	}
	r.Faults = []verdict.Fault{{Name: "kill ingress-1", Begin: at(0.5), Healed: at(0.6), Accepted: at(1), Delivered: at(1.1)}}
	return r
}

func (r *run) accept(subject string, n int, second float64) *verdict.Sending {
	r.Sendings = append(r.Sendings, verdict.Sending{
		ID: verdict.ID{Subject: subject, Counter: n}, Digest: digest(n), First: at(second), Requests: 1,
		Answers: []verdict.Answer{{At: at(second + 0.01), Took: 10 * time.Millisecond, EventID: key(n), Sequence: sequence(n)}},
	})
	return &r.Sendings[len(r.Sendings)-1]
}

func (r *run) deliver(subject string, n int, second float64) *verdict.Delivery {
	r.Deliveries = append(r.Deliveries, verdict.Delivery{
		ID: verdict.ID{Subject: subject, Counter: n}, Digest: digest(n), Sequence: sequence(n), Key: key(n), Attempt: 1,
		Worker: "worker-1", Begun: at(second), Ended: at(second + 0.01), Status: 200,
	})
	return &r.Deliveries[len(r.Deliveries)-1]
}

func digest(n int) string   { return fmt.Sprintf("digest-%d", n) }
func key(n int) string      { return fmt.Sprintf("key-%d", n) }
func sequence(n int) int64  { return int64(10 + n) }
func killed() verdict.Fault { return fault("kill worker-1", "worker-1", 3.2, 4) }
func frozen() verdict.Fault {
	f := fault("freeze worker-2", "worker-2", 2, 32)
	f.Frozen = true
	return f
}

func crashed() verdict.Fault { f := fault("kill postgres", "", 3.2, 4); f.AllWorkers = true; return f }

func fault(name, worker string, begin, healed float64) verdict.Fault {
	return verdict.Fault{Name: name, Worker: worker, Begin: at(begin), Healed: at(healed), Accepted: at(healed + 0.5), Delivered: at(healed + 1)}
}
