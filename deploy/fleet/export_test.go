package fleet

import (
	"context"
	"log/slog"
)

// NewProcess makes a process that runs a command, and a function that ends what
// starts it.
func NewProcess(name, logFile string, ready func(context.Context) error, path string, args ...string) (p *Process, end func()) {
	s := newSpawner()
	return &Process{
		name: name, spawner: s, log: slog.New(slog.DiscardHandler),
		spec: spec{path: path, args: args, log: logFile, ready: ready, settings: map[string]string{"SETTING": "value"}},
	}, s.close
}
