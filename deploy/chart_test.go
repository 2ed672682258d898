package deploy_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

// eachSet runs a check on what each set of values renders to.
func eachSet(t *testing.T, check func(t *testing.T, all objects)) {
	t.Helper()
	for _, values := range valueSets(t) {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			check(t, render(t, values))
		})
	}
}

// eachPod runs a check on each pod of each set of values.
func eachPod(t *testing.T, check func(t *testing.T, p pod)) {
	t.Helper()
	eachSet(t, func(t *testing.T, all objects) {
		t.Helper()
		pods := 0
		for _, o := range all {
			if o.Spec.Template != nil {
				pods++
				check(t, o.Spec.Template.Spec)
			}
		}
		require.GreaterOrEqual(t, pods, 2)
	})
}

func TestChartPodsAreRestricted(t *testing.T) {
	t.Parallel()
	eachPod(t, func(t *testing.T, p pod) {
		t.Helper()
		require.False(t, *p.EnableServiceLinks, "links would set HOLDFAST_PORT, which Holdfast refuses")
		require.False(t, *p.AutomountServiceAccountToken)
		require.True(t, p.SecurityContext.RunAsNonRoot)
		require.Positive(t, p.SecurityContext.RunAsUser)
		require.Equal(t, p.SecurityContext.RunAsUser, p.SecurityContext.FSGroup, "or mounted secrets cannot be read")
		require.Equal(t, "RuntimeDefault", p.SecurityContext.SeccompProfile.Type)
		require.Empty(t, p.InitContainers)

		box := p.container()
		require.False(t, *box.SecurityContext.AllowPrivilegeEscalation)
		require.True(t, box.SecurityContext.ReadOnlyRootFilesystem)
		require.False(t, box.SecurityContext.Privileged)
		require.Equal(t, []string{"ALL"}, box.SecurityContext.Capabilities.Drop)
		require.Empty(t, box.SecurityContext.Capabilities.Add)
		for _, resource := range []string{"cpu", "memory"} {
			require.NotEmpty(t, box.Resources.Requests[resource], resource)
		}
		require.NotEmpty(t, box.Resources.Limits["memory"])
		require.Regexp(t, `:[^:]+$`, box.Image)
		require.NotContains(t, box.Image, "latest")
		require.Empty(t, box.Command, "the image's entry point is holdfast")
		// The program takes these arguments: with --help it says so and does nothing.
		run(t, program(t), append(box.Args, "--help")...)
	})
}

func TestChartPodsFindTheirSecrets(t *testing.T) {
	t.Parallel()
	secretName := regexp.MustCompile(`(PASSWORD|SECRET|TOKEN|_KEY|_KEYS|COMMUNITY|INBOX)$`)
	eachPod(t, func(t *testing.T, p pod) {
		t.Helper()
		files, folders := p.files(t)
		named := map[string]bool{}
		for name, value := range p.container().environment(t) {
			switch {
			case strings.HasSuffix(name, "_FILE") || strings.HasSuffix(name, "_PATH"):
				require.True(t, has(files, folders, value), "%s is %s, which is not mounted", name, value)
				named[value] = true
			case secretName.MatchString(name):
				require.True(t, strings.HasPrefix(value, "secret "), "%s stands in the environment", name)
			}
		}
		for path := range files {
			require.True(t, named[path], "%s is mounted, and no setting names it", path)
		}
	})
}

func TestChartProbesAskWhatIsAnswered(t *testing.T) {
	t.Parallel()
	api := operator.New(operator.Options{
		Config: operator.Config{OperatorToken: "a-token"}, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	}).Handler()
	eachSet(t, func(t *testing.T, all objects) {
		t.Helper()
		for _, role := range []string{"ingress", "worker"} {
			box := all.deployment(t, role).container()
			for name, one := range map[string]*probe{"startup": box.StartupProbe, "liveness": box.LivenessProbe, "readiness": box.ReadinessProbe} {
				require.NotNil(t, one, name)
				require.Equal(t, "operator", one.HTTPGet.Port)
				require.Equal(t, name == "readiness", one.HTTPGet.Path == "/readyz", "only readiness depends on others: %s", name)
				answer := httptest.NewRecorder()
				request := httptest.NewRequest(http.MethodGet, one.HTTPGet.Path, nil)
				api.ServeHTTP(answer, request)
				require.Equal(t, http.StatusOK, answer.Code, one.HTTPGet.Path)
			}
			env := box.environment(t)
			for _, p := range box.Ports {
				setting := map[string]string{"operator": "HOLDFAST_OPERATOR_LISTEN", "webhooks": "HOLDFAST_LISTEN"}[p.Name]
				require.Equal(t, env[setting], ":"+strconv.Itoa(p.ContainerPort), setting)
			}
		}
	})
}

func TestChartJobsEnd(t *testing.T) {
	t.Parallel()
	eachSet(t, func(t *testing.T, all objects) {
		t.Helper()
		for _, job := range all.of("Job") {
			require.Equal(t, "Never", job.Spec.Template.Spec.RestartPolicy)
			require.NotNil(t, job.Spec.BackoffLimit)
			require.NotNil(t, job.Spec.ActiveDeadlineSeconds)
			require.Contains(t, job.Metadata.Annotations["helm.sh/hook-delete-policy"], "before-hook-creation", "a Job cannot be changed")
			hook := job.Metadata.Annotations["helm.sh/hook"]
			if strings.HasPrefix(hook, "pre-install") {
				// Nothing of the chart is there yet, so neither is its account.
				require.Equal(t, "pre-install,pre-upgrade", hook)
				require.Empty(t, job.Spec.Template.Spec.ServiceAccountName)
				continue
			}
			require.Equal(t, "post-install,post-upgrade,post-rollback", hook)
		}
	})
}
