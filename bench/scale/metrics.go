package main

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"
)

// metrics are what a process says of itself at one time, by name and labels.
type metrics map[string]float64

func (d *daemon) metrics(ctx context.Context) (metrics, error) {
	text, err := d.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	m := metrics{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, found := cutLast(lines.Text(), ' ')
		if number, err := strconv.ParseFloat(value, 64); found && err == nil && !strings.HasPrefix(name, "#") {
			m[name] = number
		}
	}
	return m, nil
}

func cutLast(text string, separator byte) (before, after string, found bool) {
	at := strings.LastIndexByte(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+1:], true
}

const mega = 1 << 20

func (m metrics) rss() float64     { return m["process_resident_memory_bytes"] / mega }
func (m metrics) heap() float64    { return m["go_memstats_heap_alloc_bytes"] / mega }
func (m metrics) cpu() float64     { return m["process_cpu_seconds_total"] }
func (m metrics) waiting() float64 { return m["holdfast_rings_waiting"] }
func (m metrics) swept() float64   { return m["holdfast_swept_subjects_total"] }

// by are the values of a metric by its one label.
func (m metrics) by(name string) map[string]float64 {
	values := map[string]float64{}
	for full, value := range m {
		labels, found := strings.CutPrefix(full, name+"{")
		if _, label, ok := strings.Cut(strings.TrimSuffix(labels, `"}`), `="`); found && ok && value > 0 {
			values[label] = value
		}
	}
	return values
}
