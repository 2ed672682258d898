package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/holdfast-project/holdfast/bench"
)

// result is what a case found out, as it is printed for programs.
type result struct {
	Case     string   `json:"case"`
	Inbox    string   `json:"inbox"` // sqlite or postgres
	Relief   string   `json:"relief"`
	Size     int      `json:"size"`
	Passed   bool     `json:"passed"`
	Problems []string `json:"problems"`
	CPUs     int      `json:"cpus"`
	// The machine's load averages tell whether anybody else was at work.
	LoadBefore float64 `json:"load_before"`
	LoadAfter  float64 `json:"load_after"`

	FillSeconds float64 `json:"fill_s,omitempty"`
	Drain       *drain  `json:"drain,omitempty"`
	// Before and During are the other subject's events, alone and beside the backlog.
	Before *bench.Speed `json:"before,omitempty"`
	During *bench.Speed `json:"during,omitempty"`
	// Accepted is what the senders of a crowd saw.
	Accepted *bench.Speed `json:"accepted,omitempty"`
	// Full and Empty are the history case's inboxes.
	Full  *turns `json:"full,omitempty"`
	Empty *turns `json:"empty,omitempty"`
}

func newResult(name string, o options) *result {
	size := o.size
	if name == caseHistory {
		size *= 10
	}
	return &result{
		Case: name, Inbox: kindOf(o.inbox), Relief: string(o.relief), Size: size, Problems: []string{}, CPUs: runtime.NumCPU(),
	}
}

// drain is a run in which a backlog is drained.
type drain struct {
	Events    int     `json:"events"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_s"`
	// Tenths are the events per second of each tenth.
	Tenths []float64 `json:"per_s_of_each_tenth,omitempty"`
	CPU    cost      `json:"cpu_s_per_1000"`
	// Memory is Holdfast's, and TemporalRSS its server's at the end.
	RSS         memory  `json:"rss_mb"`
	Heap        memory  `json:"heap_mb"`
	TemporalRSS float64 `json:"temporal_rss_mb"`
	// Rings, Relieved and Swept are Holdfast's own counts since its start, and
	// MostWaiting the most rings that waited when it was looked.
	Rings       map[string]float64 `json:"rings"`
	Relieved    map[string]float64 `json:"relief_drains"`
	Swept       float64            `json:"swept"`
	MostWaiting float64            `json:"most_rings_waiting"`
	Samples     []sample           `json:"samples"`
}

// cost is seconds of processors for a thousand events.
type cost struct {
	Holdfast float64 `json:"holdfast"`
	Temporal float64 `json:"temporal"`
	Database float64 `json:"database"`
}

func costs(holdfast, temporal, database float64, events int) cost {
	each := func(used float64) float64 { return round(used / float64(max(events, 1)) * 1000) }
	return cost{each(holdfast), each(temporal), each(database)}
}

// write writes a result for people.
func (r *result) write(w io.Writer) {
	verdict := "nothing lost, nothing repeated, all in order"
	if !r.Passed {
		verdict = "FAILED: " + strings.Join(r.Problems, "; ")
	}
	fmt.Fprintf(w, "%s of %d, %s, relief %s: %s (load average %.1f before, %.1f after)\n",
		r.Case, r.Size, r.Inbox, r.Relief, verdict, r.LoadBefore, r.LoadAfter)
	if d := r.Drain; d != nil {
		fmt.Fprintf(w, "  %d events in %.1f s: %.0f/s", d.Events, d.Seconds, d.PerSecond)
		if len(d.Tenths) > 0 {
			fmt.Fprintf(w, "; by tenths %.0f", d.Tenths)
		}
		fmt.Fprintf(w, "\n  CPU s per 1000: holdfast %.2f, Temporal %.2f, database %.2f\n", d.CPU.Holdfast, d.CPU.Temporal, d.CPU.Database)
		d.RSS.write(w, "resident memory")
		d.Heap.write(w, "Go heap")
		fmt.Fprintf(w, "  Temporal: %.0f MB at the end; rings %v, most waiting %.0f; relief drains %v; swept %.0f\n", d.TemporalRSS, d.Rings, d.MostWaiting, d.Relieved, d.Swept)
	}
	for _, one := range []struct {
		name  string
		speed *bench.Speed
	}{{"another subject, before", r.Before}, {"another subject, meanwhile", r.During}, {"accepted", r.Accepted}} {
		if s := one.speed; s != nil {
			fmt.Fprintf(w, "  %s: %d events, %.0f/s, p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms\n", one.name, s.Events, s.PerSecond, s.P50, s.P90, s.P99, s.Max)
		}
	}
	if r.Full != nil {
		r.Full.write(w, r.Empty)
	}
}
