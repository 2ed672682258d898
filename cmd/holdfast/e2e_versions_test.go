package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

// deployment runs `holdfast deployment` with these arguments and the settings of a
// daemon.
func (d *daemon) deployment(t *testing.T, args ...string) (status int, printed string) {
	t.Helper()
	env := maps.Clone(d.env)
	delete(env, actAsMain)
	p := newProgram(t, t.TempDir(), env, append([]string{"deployment"}, args...)...)
	p.start(t)
	return p.wait(t), string(p.printed(t))
}

// builds is what `holdfast deployment show` says.
func (d *daemon) builds(t *testing.T) map[string]buildJSON {
	t.Helper()
	status, printed := d.deployment(t, "show", "-o", "json")
	require.Zero(t, status, printed)
	var shown struct{ Builds []buildJSON }
	require.NoError(t, json.Unmarshal([]byte(printed), &shown), printed)
	builds := map[string]buildJSON{}
	for _, b := range shown.Builds {
		builds[b.BuildID] = b
	}
	return builds
}

// buildOf describes a subject's latest run.
func buildOf(t *testing.T, subject string) (runID, build string) {
	t.Helper()
	answer, err := temporaltest.Client(t).WorkflowService().DescribeWorkflowExecution(t.Context(), &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, Execution: execution(subject),
	})
	require.NoError(t, err)
	info := answer.GetWorkflowExecutionInfo()
	return info.GetExecution().GetRunId(), info.GetVersioningInfo().GetDeploymentVersion().GetBuildId()
}

// TestE2EAHeldRunIsFinishedByTheNextBuild: a run that waits when its build is
// stopped for good is the next build's: the same run, in order, nothing repeated.
func TestE2EAHeldRunIsFinishedByTheNextBuild(t *testing.T) {
	t.Parallel()
	const source = "upgrade"
	destination := newRecorder(t, func(got delivery) answer {
		if got.subject == source+"/retrying" {
			return answer{status: http.StatusServiceUnavailable}
		}
		return answer{status: http.StatusForbidden}
	})
	d := newDaemon(t, redoSource(source, destination.url, map[string]string{
		"HOLDFAST_DEPLOYMENT": source, "HOLDFAST_BUILD_ID": "v1",
	}))
	status, printed := d.deployment(t, "set-current")
	require.Equal(t, 1, status)
	require.Contains(t, printed, "no versioned worker of deployment upgrade has been seen in namespace default")

	d.start(t)
	receipts := map[string][]ingress.ReceiptJSON{}
	for _, subject := range []string{"held", "retrying"} {
		receipts[source+"/"+subject] = newSender(t, d, source).send(t, subject, 0, 3)
	}
	status, printed = d.deployment(t, "set-current", "--wait", "2m")
	require.Zero(t, status, printed)
	require.Contains(t, printed, "Build v1 is the current one of deployment upgrade; before it: none.")
	until(t, "trouble of both kinds", func() bool {
		return d.subject(t, source+"/held").State == "held" && d.subject(t, source+"/retrying").State == "retrying"
	})
	before, build := buildOf(t, source+"/held")
	require.Equal(t, "v1", build)
	require.Zero(t, d.stop(t, syscall.SIGTERM))
	tried := len(destination.deliveries(""))

	d.env["HOLDFAST_BUILD_ID"] = "v2"
	d.start(t)
	status, printed = d.deployment(t, "set-current", "--build-id", "v3")
	require.Equal(t, 1, status)
	require.Contains(t, printed, "no worker of build v3 has been seen in deployment upgrade; there are: ")
	require.Len(t, destination.deliveries(""), tried, "a build that is not current is given nothing")
	status, printed = d.deployment(t, "set-current", "--wait", "2m")
	require.Zero(t, status, printed)
	require.Contains(t, printed, "Build v2 is the current one of deployment upgrade; before it: v1.")
	status, printed = d.deployment(t, "set-current")
	require.Zero(t, status, printed)
	require.Contains(t, printed, "Build v2 already is the current one")

	destination.obey(nil)
	receipts[source+"/new"] = newSender(t, d, source).send(t, "new", 0, 3)
	require.NoError(t, d.operator(t).post(t.Context(), operator.PathSubjectResume, values("id", source+"/held"), operator.VerbRequest{}, &operator.SubjectJSON{}))
	d.settled(t)
	_, build = buildOf(t, source+"/retrying")
	require.Equal(t, "v2", build)
	after, build := buildOf(t, source+"/held")
	require.Equal(t, before, after, "the run that v1 began")
	require.Equal(t, "v2", build)
	_, build = buildOf(t, source+"/new")
	require.Equal(t, "v2", build)
	require.Equal(t, 2, d.events(t, "subject", source+"/held")[0].Attempts)
	destination.requireOnceInOrder(t, receipts)

	builds := d.builds(t)
	require.Equal(t, "current", builds["v2"].State)
	require.Equal(t, 1, builds["v2"].Workers)
	require.NotEqual(t, "current", builds["v1"].State)
	status, printed = d.deployment(t, "show")
	require.Zero(t, status)
	require.Regexp(t, `(?m)^v2 +current +1 +`, printed)
}

// TestE2EABuildThatIsNotCurrentSaysSo: such a worker is given nothing, which looks
// like a fleet that hangs.
func TestE2EABuildThatIsNotCurrentSaysSo(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, redoSource("idle", "http://127.0.0.1:1", map[string]string{
		"HOLDFAST_DEPLOYMENT": "idle", "HOLDFAST_BUILD_ID": "v1",
	}))
	until(t, "the log to say what to do", func() bool {
		return regexpIn(t, d, `"this build is not the current one.*"command":"holdfast deployment set-current --deployment idle --build-id v1"`)
	})
	status, printed := d.deployment(t, "show")
	require.Zero(t, status, printed)
	require.Contains(t, printed, "No build is the current one")
	status, printed = d.deployment(t, "set-current")
	require.Zero(t, status, printed)
	until(t, "the log to say that it is given work", func() bool { return regexpIn(t, d, `"this build is the current one: it is given work"`) })
}

func execution(subject string) *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: subject}
}

func regexpIn(t *testing.T, d *daemon, pattern string) bool {
	t.Helper()
	return regexp.MustCompile(pattern).Match(d.recent(t))
}
