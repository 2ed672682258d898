package workflows_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/workflows"
)

var update = flag.Bool("update", false, "rewrite the golden file of wire names")

// TestContract pins every wire name and one encoded value of every wire type.
// The golden file may only be added to: running workflows hold these names.
func TestContract(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	head := workflows.Head{Sequence: 42, Type: "return.updated", Handler: "POST app/hooks", Attempts: 2, Error: "503", FailedAt: at}
	operate := workflows.Operate{Verb: "park", Sequence: 42, Reason: "broken", By: "ann", Until: at}
	wire := map[string]any{
		"workflow_type":     workflows.WorkflowType,
		"task_queue":        workflows.DefaultTaskQueue,
		"signals":           []string{workflows.SignalDoorbell, workflows.SignalOperate},
		"updates":           []string{workflows.UpdatePause, workflows.UpdateResume, workflows.UpdatePark},
		"query":             workflows.QueryStatus,
		"activities":        []string{workflows.ActivityDrain, workflows.ActivityOperate},
		"search_attributes": []string{workflows.SearchAttributeSource, workflows.SearchAttributeState},
		"error_types":       []string{workflows.ErrorRetryable, workflows.ErrorCritical, workflows.ErrorRefused},
		"states":            []string{workflows.StateIdle, workflows.StatePending, workflows.StateRetrying, workflows.StateHeld},
		"outcomes": []string{
			workflows.OutcomeEmpty, workflows.OutcomeMore, workflows.OutcomeWait, workflows.OutcomeHeld, workflows.OutcomeRecover,
		},
		"Input":      workflows.Input{State: "held"},
		"DrainInput": workflows.DrainInput{Subject: "redo/r1", RunID: "b", OriginalRunID: "a", AfterEpoch: 7, Waits: 1},
		"DrainOutput": workflows.DrainOutput{
			Outcome: "held", Epoch: 8, Settled: 3, Reopened: 1, Wait: time.Hour, Until: at, Reason: "503", By: "holdfast", Head: &head,
			Policy: workflows.Policy{RecoverTimeout: time.Minute, Linger: time.Second},
		},
		"RecoverInput":  workflows.RecoverInput{Subject: "redo/r1", Sequence: 42, OriginalRunID: "a", AfterEpoch: 7},
		"RecoverOutput": workflows.RecoverOutput{Epoch: 9, Settled: true},
		"Operate":       operate,
		"OperateInput":  workflows.OperateInput{Subject: "redo/r1", RequestID: "update:a/1", Operate: operate},
		"Status":        workflows.Status{Subject: "redo/r1", State: "held", Settled: 3, Head: &head, Reason: "503", By: "holdfast", Until: at},
	}
	got, err := json.MarshalIndent(wire, "", "  ")
	require.NoError(t, err)
	golden := filepath.Join("testdata", "contract.golden.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n", "go test ./workflows -run TestContract -update rewrites it; only additions are compatible")
}
