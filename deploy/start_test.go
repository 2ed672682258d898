package deploy_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is for a loaded machine.
const patience = time.Minute

// start runs a process until it says that it has started, lets look have its line of
// log about that, and then stops it. What it logged is returned.
func start(t *testing.T, role string, env []string, look func(started string)) (log string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	process := exec.CommandContext(ctx, program(t), role)
	process.Env = env
	output, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	var lines strings.Builder
	for scanner := bufio.NewScanner(output); scanner.Scan(); {
		lines.WriteString(scanner.Text() + "\n")
		if strings.Contains(scanner.Text(), `"msg":"holdfast started"`) {
			look(scanner.Text())
			require.NoError(t, process.Process.Signal(syscall.SIGTERM))
		}
	}
	return lines.String(), process.Wait()
}

func nothing(string) {}

// onThisMachine returns exactly the settings that a place gives a process, but with
// secrets in files of ours, free ports of this machine, and a database and a Temporal
// that are not there: a fleet's processes start without them and wait.
func onThisMachine(t *testing.T, env environment) []string {
	t.Helper()
	dir := t.TempDir()
	all := []string{"HOME=" + dir}
	for name, value := range env {
		switch {
		case name == "HOLDFAST_LISTEN" || name == "HOLDFAST_OPERATOR_LISTEN":
			value = "127.0.0.1:0"
		case name == "TEMPORAL_ADDRESS":
			value = "127.0.0.1:1"
		case name == "HOLDFAST_DRAIN_DELAY":
			value = "1ms"
		case strings.HasSuffix(name, fileSuffix):
			value = filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(value, []byte(secretFor(name)+"\n"), 0o600))
		}
		all = append(all, name+"="+value)
	}
	return all
}

func secretFor(name string) string {
	switch plain(name) {
	case "HOLDFAST_INBOX":
		return "postgres://holdfast:hunter2@127.0.0.1:1/holdfast?sslmode=disable"
	case "HOLDFAST_DESTINATION_SECRET":
		return "whsec_" + strings.Repeat("aG9sZGZhc3Q0", 4)
	default:
		return strings.Repeat("0123456789abcdef", 3)
	}
}

func TestProcessesStartWithTheSettingsOfEachPlace(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"ingress", "worker"} {
		for place, env := range places(t, role) {
			t.Run(role+" "+place, func(t *testing.T) {
				t.Parallel()
				log, err := start(t, role, onThisMachine(t, env), nothing)
				require.NoError(t, err, log)
				require.Contains(t, log, `"msg":"holdfast started"`)
				require.NotContains(t, log, "hunter2")
			})
		}
	}
}

// TestProcessesDoNotStartWithAMistake shows that the test above can fail.
func TestProcessesDoNotStartWithAMistake(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(environment){
		"Misspelt":     func(e environment) { e["HOLDFAST_RETENTIONS"] = "720h" },
		"WrongValue":   func(e environment) { e["HOLDFAST_RETENTION"] = "a month" },
		"ServiceLinks": func(e environment) { e["HOLDFAST_SERVICE_HOST"] = "10.0.0.1" },
		"NoSecret":     func(e environment) { delete(e, "HOLDFAST_SOURCE_REDO_SECRET_FILE") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := composeFile(t).environment(t, "ingress-1")
			change(env)
			log, err := start(t, "ingress", onThisMachine(t, env), nothing)
			require.Error(t, err)
			require.Contains(t, log, "HOLDFAST_")
			require.NotContains(t, log, "holdfast started")
		})
	}
}
