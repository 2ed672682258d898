package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/bench/verdict"
)

func TestAGoodRunPasses(t *testing.T) {
	t.Parallel()
	f := verdict.Judge(newRun().Record)
	require.Empty(t, f.Problems)
	require.True(t, f.Passed)
	require.Equal(t, 3, f.Sent)
	require.Equal(t, 3, f.Accepted)
	require.Equal(t, 3, f.Delivered)
	require.InDelta(t, 10, f.Acceptance.P99, 0.001)
	require.InDelta(t, 100, f.Handling.Max, 0.001, "from its answer to the destination's")
	require.InDelta(t, 96.99, f.Acceptance.Outage, 0.001, "from the last answer to the end of the load")
	require.InDelta(t, 0.4, f.Faults[0].Accepted, 0.001)
	require.InDelta(t, 0.5, f.Faults[0].Delivered, 0.001)
}

// Each of these alone makes a run fail.
func TestABrokenPromiseFailsTheRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*run)
		says  string
	}{
		"an accepted event that was never delivered":                    {func(r *run) { r.accept("s1", 3, 4) }, "1 lost"},
		"an accepted event of a subject of which nothing was delivered": {func(r *run) { r.accept("s2", 0, 4) }, "1 lost"},
		"an event whose only deliveries failed":                         {func(r *run) { r.accept("s1", 3, 4); r.deliver("s1", 3, 4).Status = 503 }, "1 lost"},
		"an event that began before the one before it was done": {func(r *run) {
			r.Deliveries[1].Ended = at(3.5)
		}, "1 out of order"},
		"an event that came before the one before it": {func(r *run) {
			r.Deliveries[1].Begun, r.Deliveries[1].Ended = at(3.3), at(3.4)
		}, "1 out of order"},
		"an event whose predecessor was skipped": {func(r *run) { r.accept("s1", 4, 5); r.deliver("s1", 4, 5) }, "1 out of order"},
		"an event whose predecessor was refused and not tried again first": {func(r *run) {
			r.Deliveries[1].Status = 503
			r.deliver("s1", 1, 4)
		}, "1 out of order"},
		"a sequence that falls":      {func(r *run) { r.Deliveries[2].Sequence = 1; r.Sendings[2].Answers[0].Sequence = 1 }, "1 out of order"},
		"a repeat without any fault": {func(r *run) { r.deliver("s1", 2, 4) }, "1 repeated without"},
		"a repeat long after a fault": {func(r *run) {
			r.Faults = append(r.Faults, killed())
			r.accept("s1", 3, 40)
			r.deliver("s1", 3, 40)
			r.deliver("s1", 3, 41)
		}, "1 repeated without"},
		"a repeat long before a fault": {func(r *run) {
			r.Faults = append(r.Faults, fault("kill worker-1", "worker-1", 20, 21))
			r.deliver("s1", 2, 4)
		}, "1 repeated without"},
		"a repeat of what another worker had in hand": {func(r *run) {
			f := killed()
			f.Worker = "worker-2"
			r.Faults = append(r.Faults, f)
			r.deliver("s1", 2, 4.5)
		}, "1 repeated without"},
		"a repeat at the kill of an ingress": {func(r *run) {
			r.Faults = append(r.Faults, fault("kill ingress-1", "", 3.2, 4))
			r.deliver("s1", 2, 4.5)
		}, "1 repeated without"},
		"a repeat of an event that was settled, since a newer one has begun": {func(r *run) {
			r.Faults = append(r.Faults, crashed())
			r.deliver("s1", 1, 4.5)
		}, "1 repeated without"},
		"a second late repeat by a worker that was frozen once": {func(r *run) {
			r.Faults = append(r.Faults, frozen())
			r.deliver("s1", 1, 32.1).Worker = "worker-2"
			r.deliver("s1", 2, 32.2).Worker = "worker-2"
		}, "1 repeated without"},
		"a late repeat by a worker that was not frozen": {func(r *run) {
			r.Faults = append(r.Faults, frozen())
			r.deliver("s1", 1, 32.1).Worker = "worker-1"
		}, "1 repeated without"},
		"a late repeat with a new sequence": {func(r *run) {
			r.Faults = append(r.Faults, frozen())
			late := r.deliver("s1", 1, 32.1)
			late.Worker, late.Sequence = "worker-2", 99
		}, "1 accepted or delivered wrongly"},
		"a repeat with another key": {func(r *run) {
			r.Faults = append(r.Faults, killed())
			r.deliver("s1", 2, 4.5).Key = "another"
		}, "1 accepted or delivered wrongly"},
		"an event accepted twice": {func(r *run) {
			again := r.Sendings[0].Answers[0]
			again.EventID, again.Sequence = "another", 99
			r.Sendings[0].Answers = append(r.Sendings[0].Answers, again)
		}, "1 accepted or delivered wrongly"},
		"a duplicate that was not told to be one": {func(r *run) {
			r.Sendings[0].Answers = append(r.Sendings[0].Answers, r.Sendings[0].Answers[0])
		}, "1 accepted or delivered wrongly"},
		"a body that was changed":                    {func(r *run) { r.Deliveries[0].Digest = "another" }, "1 accepted or delivered wrongly"},
		"a delivery that nobody sent":                {func(r *run) { r.deliver("s9", 0, 4) }, "1 accepted or delivered wrongly"},
		"a key that is not what the sender was told": {func(r *run) { r.Deliveries[0].Key = "another" }, "1 accepted or delivered wrongly"},
		"an event that the inbox has not settled":    {func(r *run) { r.Unsettled = 1 }, "1 not settled"},
		"a worker that crashed by itself":            {func(r *run) { r.Exits = map[string]int{"worker-1": 2} }, "worker-1 ended by itself 2 times"},
		"no acceptance after a fault":                {func(r *run) { r.Faults[0].Accepted = time.Time{} }, "no recovery from: kill ingress-1"},
		"no delivery after a fault":                  {func(r *run) { r.Faults[0].Delivered = time.Time{} }, "no recovery from: kill ingress-1"},
		"a run in which nothing was accepted": {func(r *run) {
			r.Sendings, r.Deliveries = nil, nil
		}, "nothing was accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRun()
			c.spoil(r)
			f := verdict.Judge(r.Record)
			require.False(t, f.Passed)
			require.Len(t, f.Problems, 1, "%v", f)
			require.Contains(t, f.Problems[0], c.says)
			var text strings.Builder
			require.NoError(t, f.Write(&text))
			require.Contains(t, text.String(), "FAILED: "+f.Problems[0])
		})
	}
}

// None of these does.
func TestWhatIsPromisedNotToHappenIsAllThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens        func(*run)
		inFlight, late int
	}{
		"a Temporal server that ended by itself": {happens: func(r *run) { r.Exits = map[string]int{"temporal": 3} }},
		"an event that was never accepted":       {happens: func(r *run) { r.accept("s1", 3, 4).Answers = nil }},
		"an event that was delivered though its sender never heard of it": {happens: func(r *run) {
			r.accept("s1", 3, 4).Answers = nil
			r.deliver("s1", 3, 4)
		}},
		"a duplicate that was told to be one": {happens: func(r *run) {
			again := r.Sendings[0].Answers[0]
			again.Duplicate = true
			r.Sendings[0].Answers = append(r.Sendings[0].Answers, again)
		}},
		"an event that was refused and then done": {happens: func(r *run) {
			r.accept("s1", 3, 4)
			r.deliver("s1", 3, 4).Status = 503
			r.deliver("s1", 3, 5).Attempt = 2
		}},
		"a repeat of what a killed worker had in hand": {happens: func(r *run) {
			r.Faults = append(r.Faults, killed())
			r.deliver("s1", 2, 14).Worker = "worker-2"
		}, inFlight: 1},
		"a repeat of what any worker had in hand when the database crashed": {happens: func(r *run) {
			r.Faults = append(r.Faults, crashed())
			r.deliver("s1", 2, 5)
		}, inFlight: 1},
		"several repeats while the fault lasts": {happens: func(r *run) {
			r.Faults = append(r.Faults, fault("slow worker-1 to postgres", "worker-1", 3.2, 30))
			r.deliver("s1", 2, 12)
			r.deliver("s1", 2, 24)
		}, inFlight: 2},
		"a repeat that begins while the first copy is being handled": {happens: func(r *run) {
			r.Faults = append(r.Faults, killed())
			r.Deliveries[2].Ended = at(20)
			r.deliver("s1", 2, 12).Worker = "worker-2"
		}, inFlight: 1},
		"a late repeat by a frozen worker": {happens: func(r *run) {
			r.Faults = append(r.Faults, frozen())
			r.Deliveries[1].Begun, r.Deliveries[1].Ended = at(2.5), at(2.6)
			r.deliver("s1", 1, 32.1).Worker = "worker-2"
		}, late: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRun()
			c.happens(r)
			f := verdict.Judge(r.Record)
			require.Empty(t, f.Problems)
			require.Empty(t, f.Repeated.Unexplained)
			require.Equal(t, c.inFlight, f.Repeated.InFlight)
			require.Equal(t, c.late, f.Repeated.Late)
		})
	}
}

func TestAFigureIsGivenForEachFault(t *testing.T) {
	t.Parallel()
	r := newRun()
	r.Faults = []verdict.Fault{fault("first", "", 1.5, 1.6), fault("second", "", 2.5, 10)}
	f := verdict.Judge(r.Record)
	require.Len(t, f.Faults, 2)
	require.InDelta(t, 0.51, f.Faults[0].Outage, 0.001, "the second event was accepted in between")
	require.InDelta(t, 96.99, f.Faults[1].Outage, 0.001)
	require.InDelta(t, 7.5, f.Faults[1].Lasted, 0.001)
	require.Equal(t, "second", f.Acceptance.During)
}

func TestDeliveriesAreJudgedInTheOrderInWhichTheyBegan(t *testing.T) {
	t.Parallel()
	r := newRun()
	r.Deliveries[0], r.Deliveries[2] = r.Deliveries[2], r.Deliveries[0]
	require.Empty(t, verdict.Judge(r.Record).Problems)
}
