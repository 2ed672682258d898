package fleet

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// temporalUIConfig is YAML. The UI asks nobody whether there is a newer one.
const temporalUIConfig = `temporalGrpcAddress: %s
host: 127.0.0.1
port: %d
enableUi: true
defaultNamespace: %s
notifyOnNewVersion: false
`

// startUI starts Temporal's web UI, if there is a program for it.
func (f *Fleet) startUI(ctx context.Context) error {
	if f.options.Programs.TemporalUI == "" {
		return nil
	}
	port, err := f.port(ctx, "temporal-ui")
	if err != nil {
		return err
	}
	dir := filepath.Join(f.options.Dir, "temporal-ui")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	config := fmt.Sprintf(temporalUIConfig, f.TemporalAddress, port, f.namespace())
	if err := os.WriteFile(filepath.Join(dir, "fleet.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	f.UI = "http://" + local(port)
	f.ui = f.process("temporal-ui", spec{
		path: f.options.Programs.TemporalUI,
		args: []string{"--root", f.options.Dir, "--config", "temporal-ui", "--env", "fleet", "start"},
		ready: func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.UI+"/healthz", nil)
			if err != nil {
				return err
			}
			answer, err := probe.Do(request)
			if err != nil {
				return err
			}
			return answer.Body.Close()
		},
	})
	return f.ui.Start(ctx)
}
