package doorbell

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/inbox"
)

// The values of the label outcome.
const (
	outcomeRung     = "rung"
	outcomeFailed   = "failed"   // and to be tried again
	outcomeDropped  = "dropped"  // too many waited; the sweeper repeats it
	outcomeRelieved = "relieved" // the relief lane took the subject: nothing to ring for
)

type ringerMetrics struct{ rings *prometheus.CounterVec }

func newRingerMetrics(registry prometheus.Registerer, waiting func() float64) *ringerMetrics {
	m := &ringerMetrics{rings: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "holdfast_rings_total",
		Help: "Calls that wake a subject's workflow: rung, failed (and tried again), dropped (and left to the sweeper) or relieved (the relief lane had the subject).",
	}, []string{"outcome"})}
	registry.MustRegister(m.rings, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "holdfast_rings_waiting",
		Help: "Subjects that are still to be rung.",
	}, waiting))
	for _, outcome := range []string{outcomeRung, outcomeFailed, outcomeDropped, outcomeRelieved} {
		m.rings.WithLabelValues(outcome)
	}
	return m
}

type sweeperMetrics struct {
	swept    prometheus.Counter
	pruned   prometheus.Counter
	failures prometheus.Counter
	lead     prometheus.Gauge
	// Vectors, although pending has no label: a process that does not lead has no
	// series, so that a sum over the fleet is right.
	pending  *prometheus.GaugeVec
	subjects *prometheus.GaugeVec
}

func newSweeperMetrics(registry prometheus.Registerer) *sweeperMetrics {
	m := &sweeperMetrics{
		swept: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_swept_subjects_total",
			Help: "Subjects that the sweeper rang because nobody else had.",
		}),
		pruned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_pruned_events_total",
			Help: "Events deleted at the end of the retention.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_sweep_failures_total",
			Help: "Sweeps that the inbox cut short.",
		}),
		lead: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "holdfast_sweeper_lead",
			Help: "1 in the process that sweeps for the whole fleet, 0 in the others.",
		}),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "holdfast_events_pending",
			Help: "Events that are to be handled, in the whole inbox; only the process that sweeps reports it.",
		}, nil),
		subjects: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "holdfast_subjects",
			Help: "Subjects that are not idle by state, in the whole inbox; only the process that sweeps reports it.",
		}, []string{"state"}),
	}
	registry.MustRegister(m.swept, m.pruned, m.failures, m.lead, m.pending, m.subjects)
	return m
}

func (m *sweeperMetrics) show(counts inbox.Counts) {
	m.lead.Set(1)
	m.pending.WithLabelValues().Set(float64(counts.Pending))
	for _, state := range []inbox.State{inbox.StatePending, inbox.StateRetrying, inbox.StateHeld} {
		m.subjects.WithLabelValues(string(state)).Set(float64(counts.Subjects[state]))
	}
}

func (m *sweeperMetrics) hide() {
	m.lead.Set(0)
	m.pending.Reset()
	m.subjects.Reset()
}
