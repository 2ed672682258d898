package activities

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics have labels from closed sets only: configured sources and handlers.
type metrics struct {
	attempts *prometheus.CounterVec
	duration *prometheus.HistogramVec
	settled  *prometheus.CounterVec
	held     *prometheus.CounterVec
	relieved *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_attempts_total", Help: "Attempts to handle an event, by how they ended: delivered, retryable, critical or parked.",
		}, []string{"handler", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "holdfast_attempt_duration_seconds", Help: "Time that attempts took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"handler"}),
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_events_settled_total", Help: "Events that were given their outcome by a worker.",
		}, []string{"source", "status"}),
		held: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_subjects_held_total", Help: "Subjects that the failure policy held. Alert on its increase.",
		}, []string{"source"}),
		relieved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_relief_drains_total",
			Help: "Subjects that the relief lane took on: done, left to their workflow, or taken by somebody else first.",
		}, []string{"outcome"}),
	}
	r.MustRegister(m.attempts, m.duration, m.settled, m.held, m.relieved)
	return m
}

func (m *metrics) attempt(handler string, err error, took time.Duration) {
	outcome := "delivered"
	if err != nil {
		outcome = string(Classify(err))
	}
	m.attempts.WithLabelValues(handler, outcome).Inc()
	m.duration.WithLabelValues(handler).Observe(took.Seconds())
}
