package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/activities"
)

// yield has the worker make way for the webhooks that crowd at this process's door, if
// it has one, and shows how much does.
func (p *process) yield(work *activities.Activities) {
	work.Yield(p.entrance.Await)
	p.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "holdfast_events_yielding",
		Help: "Events whose handling waits while more webhooks arrive at this process than it acknowledges at once.",
	}, func() float64 { return float64(p.entrance.Waiting()) }))
}

// crowds is for the doorbell: what it starts takes nothing from the door where no worker
// of this process does it.
func (p *process) crowds() func(source string) bool {
	if !p.roles.worker {
		return nil
	}
	return p.entrance.Crowds
}
