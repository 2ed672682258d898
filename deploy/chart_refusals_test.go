package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChartRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		values string // a set that is right without the arguments
		args   []string
		want   string
	}{
		"NoRoutes":             {"minimal", []string{"--set", "worker.routes="}, "worker.routes: say where events go"},
		"NoTemporal":           {"minimal", []string{"--set", "temporal.address="}, "temporal.address: where is Temporal's frontend"},
		"NoInbox":              {"minimal", []string{"--set", "secrets.inbox.name="}, "secrets.inbox.name: which secret"},
		"NoOperatorToken":      {"minimal", []string{"--set", "secrets.operatorToken.name="}, "secrets.operatorToken.name: which secret"},
		"NothingSaid":          {"", nil, "worker.routes: say where events go"},
		"MisspeltValue":        {"minimal", []string{"--set", "worker.replica=3"}, "replica"},
		"SettingOfAnotherKind": {"minimal", []string{"--set", "settings.worker.LINGER=1s"}, "LINGER"},
		"NumberForASetting":    {"minimal", []string{"--set", "settings.common.HOLDFAST_INBOX_CONNECTIONS=5"}, "HOLDFAST_INBOX_CONNECTIONS"},
		"EmptySetting":         {"minimal", []string{"--set-string", "settings.common.HOLDFAST_RETENTION="}, "HOLDFAST_RETENTION"},
		"InboxInPlain":         {"minimal", []string{"--set", "settings.common.HOLDFAST_INBOX=postgres://u:p@h/d"}, "settings.common.HOLDFAST_INBOX: the chart sets it; see secrets.inbox"},
		"BuildIDAsASetting":    {"minimal", []string{"--set", "settings.worker.HOLDFAST_BUILD_ID=v1"}, "see worker.versioning.buildID"},
		"SecretAndSetting":     {"minimal", []string{"--set", "settings.ingress.HOLDFAST_SOURCE_REDO_SECRET=x"}, "HOLDFAST_SOURCE_REDO_SECRET is in settings, too"},
		"RoutesTwice":          {"cloud", []string{"--set", "worker.routes=*=log:"}, "HOLDFAST_ROUTES is in secrets.worker, too"},
		"LatestTag":            {"minimal", []string{"--set", "image.tag=latest"}, "tag"},
		"OldKubernetes":        {"minimal", []string{"--kube-version", "1.25.0"}, "incompatible with Kubernetes"},
		"VersioningUnnamed":    {"minimal", []string{"--set", "settings.worker.HOLDFAST_DEPLOYMENT=null"}, "settings.worker.HOLDFAST_DEPLOYMENT: must be set"},
		"ExposedNowhere":       {"minimal", []string{"--set", "ingress.expose.enabled=true"}, "ingress.expose.host: under which name"},
		"ExposedWithoutTLS":    {"minimal", []string{"--set", "ingress.expose.enabled=true,ingress.expose.host=h.example"}, "ingress.expose.tlsSecret: which secret"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := template(t, c.values, c.args...)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestChartLeavesOutWhatIsSwitchedOff(t *testing.T) {
	t.Parallel()
	cloud := render(t, "cloud")
	require.NotContains(t, cloud.deployment(t, "worker").container().environment(t), "HOLDFAST_DEPLOYMENT")
	require.NotContains(t, cloud.deployment(t, "worker").container().environment(t), "HOLDFAST_BUILD_ID")
	require.Empty(t, cloud.of("Job"), "no migration, and no version to make current")
	require.Empty(t, cloud.of("PodDisruptionBudget"))
	require.Empty(t, cloud.of("ServiceAccount"))
	require.Equal(t, "secret temporal-cloud/api-key", cloud.deployment(t, "ingress").container().environment(t)["TEMPORAL_API_KEY"])

	minimal := render(t, "minimal")
	for _, kind := range []string{"NetworkPolicy", "ServiceMonitor", "Ingress", "HorizontalPodAutoscaler", "ScaledObject"} {
		require.Empty(t, minimal.of(kind))
	}
	require.Len(t, minimal.of("Job"), 2)
	require.NotContains(t, render(t, "large").deployment(t, "worker").container().environment(t), "HOLDFAST_LINGER", "null leaves a setting to the program")
}
