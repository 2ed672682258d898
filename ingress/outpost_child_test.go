package ingress_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

// An outpost is a door in a process of its own: this test binary, run with the
// path of an inbox. It is wired as in production, with its settings from the
// environment and the defaults of what is not there, logs to its standard error,
// and for each line of its standard input prints what there is to see.
const outpostVariable = "HOLDFAST_INGRESS_TEST_OUTPOST"

// sight is what can be seen of an outpost. The first is printed unasked, and the
// last at the end of the input, when the outpost has stopped.
type sight struct {
	Address     string
	Goroutines  int
	Connections int
	Reserved    int64 // bytes that bodies hold
	Memory      int64 // bytes that Go holds
	Peak        int64 // the most that it held
	Resident    int64 // the most that the process held, with the race detector's own
	Events      []inbox.Event
	Left        string // goroutines that have not ended at the end
	Error       string
}

// runOutpost is an outpost if it is to be one, and tells whether it was.
func runOutpost() bool {
	path := os.Getenv(outpostVariable)
	if path == "" {
		return false
	}
	if err := outpostUntilEOF(path); err != nil {
		show(sight{Error: err.Error()})
	}
	return true
}

func show(s sight) {
	line, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func outpostUntilEOF(path string) error {
	ctx := context.Background()
	var config ingress.Config
	if err := envconfig.Process("HOLDFAST", &config); err != nil {
		return err
	}
	sources, _, err := ingress.LoadSources(providers.Dialects(), config.Sources)
	if err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	door := ingress.New(ingress.Options{
		Config: config, Sources: sources, Inbox: store, Bell: deaf{}, Log: log, Registry: prometheus.NewRegistry(),
		AppendTimeout: patience, // a busy disk is no attack
	})
	server, err := ingress.Listen(ctx, config.Listen, door.Handler(), log)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	var peak atomic.Int64
	stopped, watched := make(chan struct{}), make(chan struct{})
	go func() { defer close(watched); watchMemory(&peak, stopped) }()
	look := func(after int64) sight {
		events, err := store.Events(ctx, inbox.EventFilter{After: after, Limit: 1000})
		s := sight{
			Address: server.Addr().String(), Goroutines: runtime.NumGoroutine(), Connections: server.Connections(),
			Reserved: door.Reserved(config.MaxBodiesInFlight), Memory: held(), Peak: peak.Load(), Resident: resident(), Events: events,
		}
		if err != nil {
			s.Error = err.Error()
		}
		return s
	}
	show(look(0))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		after, err := strconv.ParseInt(in.Text(), 10, 64)
		if err != nil {
			return err
		}
		show(look(after))
	}
	stopping, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		return err
	}
	if err := <-served; err != nil {
		return err
	}
	close(stopped)
	<-watched
	if err := store.Close(); err != nil {
		return err
	}
	last := sight{}
	if err := goleak.Find(); err != nil {
		last.Left = err.Error()
	}
	show(last)
	return nil
}

// watchMemory notes the most that Go holds.
func watchMemory(peak *atomic.Int64, stopped chan struct{}) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stopped:
			return
		case <-ticker.C:
			peak.Store(max(peak.Load(), held()))
		}
	}
}

// held is the memory that Go has from the system: heap, stacks and its own.
func held() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()) - int64(samples[1].Value.Uint64())
}

// resident is the kernel's figure where there is one: it counts what is not Go's, too.
func resident() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kilobytes int64
	_, _ = fmt.Sscan(string(after), &kilobytes)
	return kilobytes << 10
}
