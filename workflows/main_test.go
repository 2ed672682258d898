package workflows_test

import (
	"os"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

func TestMain(m *testing.M) { os.Exit(temporaltest.Main(m)) }

func startOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: "subject", TaskQueue: unitQueue, WorkflowExecutionTimeout: 100000 * time.Hour}
}

const unitQueue = "unit"

// silent drops what the SDK logs about the failures that the tests make.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
