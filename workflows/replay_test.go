package workflows_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-project/holdfast/workflows"
)

// TestReplay runs recorded histories through this code. A failure means that runs
// which are in progress out there would break: not safe to deploy as it is.
func TestReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "histories", "*.json"))
	require.NoError(t, err)
	for name := range scenarios() {
		require.Contains(t, files, filepath.Join("testdata", "histories", name+".json"), "make histories records it")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(workflows.Subject, workflow.RegisterOptions{Name: workflows.WorkflowType})
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(silent{}, file))
		})
	}
}
