package ingress

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/inbox"
)

// metrics are labelled by configured sources, statuses and outcomes only: closed
// sets, so that no sender can make them grow.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	events   *prometheus.CounterVec
	busy     map[string]*busyMetrics // by source
}

// busyMetrics are a source's series that nearly every request counts in, found once
// rather than by their labels each time. Those that come with the first request do
// not exist before it.
type busyMetrics struct {
	answered func() prometheus.Counter // with a 200
	duration func() prometheus.Observer
	accepted prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, sources []Source, inFlight func() float64) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_requests_total",
			Help: "Webhook requests by source and status.",
		}, []string{"source", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "holdfast_request_duration_seconds",
			Help: "Time from a webhook request's headers to its answer.",
			// A commit takes milliseconds, and Redo gives up after 5 s.
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"source"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_events_accepted_total",
			Help: "Events answered with a 2xx: accepted, duplicate or quarantined.",
		}, []string{"source", "outcome"}),
	}
	registry.MustRegister(m.requests, m.duration, m.events,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "holdfast_bodies_in_flight_bytes",
			Help: "Memory that the bodies of requests hold.",
		}, inFlight))
	m.busy = make(map[string]*busyMetrics, len(sources))
	// A series that exists at 0 shows a source that is silent.
	for _, source := range sources {
		for _, o := range []string{outcomeAccepted, outcomeDuplicate, outcomeQuarantined} {
			m.events.WithLabelValues(source.Name, o)
		}
		m.busy[source.Name] = &busyMetrics{
			answered: sync.OnceValue(func() prometheus.Counter {
				return m.requests.WithLabelValues(source.Name, strconv.Itoa(http.StatusOK))
			}),
			duration: sync.OnceValue(func() prometheus.Observer { return m.duration.WithLabelValues(source.Name) }),
			accepted: m.events.WithLabelValues(source.Name, outcomeAccepted),
		}
	}
	return m
}

func (m *metrics) count(source string, status int, took time.Duration, receipts []inbox.Receipt) {
	busy, known := m.busy[source]
	if !known { // and so without receipts
		m.requests.WithLabelValues(source, strconv.Itoa(status)).Inc()
		m.duration.WithLabelValues(source).Observe(took.Seconds())
		return
	}
	if status == http.StatusOK {
		busy.answered().Inc()
	} else {
		m.requests.WithLabelValues(source, strconv.Itoa(status)).Inc()
	}
	busy.duration().Observe(took.Seconds())
	for _, receipt := range receipts {
		if o := outcome(receipt); o == outcomeAccepted {
			busy.accepted.Inc()
		} else {
			m.events.WithLabelValues(source, o).Inc()
		}
	}
}
