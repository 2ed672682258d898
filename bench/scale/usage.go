package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ticks are what Linux counts processor time in, a second's.
const ticks = 100

// process is one line of /proc.
type process struct {
	parent int
	cpu    float64 // seconds, with those of its children that have ended
	rss    float64 // MB
}

// processes are all of this machine, by ID. Where there is no /proc there are none, and
// nothing is said of the others than Holdfast.
func processes() map[int]process {
	all := map[int]process{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		content, err := os.ReadFile(file) //nolint:gosec // the kernel's
		if err != nil {
			continue // it has ended
		}
		// The name, which is in parentheses, may hold anything.
		_, rest, _ := cutLast(string(content), ')')
		fields := strings.Fields(rest)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil || len(fields) < 22 {
			continue
		}
		number := func(at int) float64 { n, _ := strconv.ParseFloat(fields[at], 64); return n }
		all[pid] = process{
			parent: int(number(1)), cpu: (number(11) + number(12) + number(13) + number(14)) / ticks,
			rss: number(21) * float64(os.Getpagesize()) / mega,
		}
	}
	return all
}

// below adds up what a process has begun, without itself.
func below(pid int) (sum process) {
	if pid <= 1 {
		return sum
	}
	all := processes()
	for _, p := range all {
		for at := p.parent; at > 1; at = all[at].parent {
			if at == pid {
				sum.cpu += p.cpu
				sum.rss += p.rss
				break
			}
		}
	}
	return sum
}

// postmaster finds the process of a PostgreSQL that is on this machine, 0 otherwise.
func postmaster(ctx context.Context, url string) int {
	if kindOf(url) != "postgres" {
		return 0
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0
	}
	defer conn.Close(ctx)
	pid := int(conn.PgConn().PID())
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	if err != nil || !strings.HasPrefix(string(name), "postgres") {
		return 0
	}
	return processes()[pid].parent
}

// loadAverage is that of the last minute; 0: unknown.
func loadAverage() float64 {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), " ")
	load, _ := strconv.ParseFloat(first, 64)
	return load
}
