package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-project/holdfast/workflows"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

const stopSignal = syscall.SIGTERM

// spill is all that came out of a process but its deliveries, by where it came out.
type spill struct {
	pieces []piece
}

type piece struct {
	where   string
	content []byte
}

func (s *spill) add(where string, content []byte) {
	s.pieces = append(s.pieces, piece{where, content})
}

// addDetails adds what people see of a run that is in trouble.
func (s *spill) addDetails(t *testing.T, subject string) {
	t.Helper()
	for _, query := range []string{workflows.QueryStatus, "__temporal_workflow_metadata"} {
		value, err := temporaltest.Client(t).QueryWorkflow(t.Context(), subject, "", query)
		require.NoError(t, err)
		var raw converter.RawValue
		require.NoError(t, value.Get(&raw))
		require.NotEmpty(t, raw.Payload().Data)
		s.add("query", raw.Payload().Data)
	}
}

// addRuns adds everything that Temporal knows of the runs of some sources:
// descriptions with memo and search attributes, and histories with their payloads.
func (s *spill) addRuns(t *testing.T, sources ...string) {
	t.Helper()
	temporal := temporaltest.Client(t)
	var runs []*common.WorkflowExecution
	until(t, "runs of every source to be listed", func() bool {
		runs = nil
		seen := map[string]bool{}
		query := fmt.Sprintf("%s IN ('%s')", workflows.SearchAttributeSource, strings.Join(sources, "','"))
		list, err := temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		require.NoError(t, err)
		require.Empty(t, list.NextPageToken)
		for _, run := range list.Executions {
			source, _, _ := strings.Cut(run.Execution.WorkflowId, "/")
			seen[source] = seen[source] || run.Status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
			runs = append(runs, run.Execution)
			if run.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				return false
			}
		}
		for _, source := range sources {
			if !seen[source] {
				return false
			}
		}
		return true
	})
	for _, run := range runs {
		s.add("workflow ID", []byte(run.WorkflowId))
		described, err := temporal.DescribeWorkflowExecution(t.Context(), run.WorkflowId, run.RunId)
		require.NoError(t, err)
		s.addMessage(t, "description", described)
		events := temporal.GetWorkflowHistory(t.Context(), run.WorkflowId, run.RunId, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			s.addMessage(t, "history", event)
		}
	}
}

// addMessage adds a message in its binary form, in which payloads are as they are.
func (s *spill) addMessage(t *testing.T, where string, message proto.Message) {
	t.Helper()
	content, err := proto.Marshal(message)
	require.NoError(t, err)
	s.add(where, content)
}

func (s *spill) has(word, where string) bool {
	for _, p := range s.pieces {
		if p.where == where && bytes.Contains(p.content, []byte(word)) {
			return true
		}
	}
	return false
}

// requireNothingOf looks for a word as it is, in any case, and encoded.
func (s *spill) requireNothingOf(t *testing.T, word string) {
	t.Helper()
	require.NotEmpty(t, s.pieces)
	forms := [][]byte{[]byte(word), []byte(hex.EncodeToString([]byte(word)))}
	for shift := range 3 {
		// Base64 depends on what stands before: the ends that the neighbours share are cut.
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + word))
		forms = append(forms, []byte(encoded[(shift*8+5)/6:len(encoded)-1]))
	}
	for _, p := range s.pieces {
		for _, form := range forms {
			at := bytes.Index(bytes.ToLower(p.content), bytes.ToLower(form))
			if at >= 0 {
				from, to := max(0, at-200), min(len(p.content), at+200)
				require.Fail(t, "something private is in a "+p.where, "%s as %s in …%q…", word, form, p.content[from:to])
			}
		}
	}
}
