package deploy_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// places returns the environments of a role's processes, by where they are.
func places(t *testing.T, role string) map[string]environment {
	t.Helper()
	c := composeFile(t)
	all := map[string]environment{
		"chart": render(t, "fleet").deployment(t, role).container().environment(t),
	}
	for _, service := range []string{role + "-1", role + "-2"} {
		all["compose "+service] = c.environment(t, service)
	}
	return all
}

func TestPlacesHaveTheSameSettings(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"ingress", "worker"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			want := settingsFiles(t, "common.env", role+".env")
			for name := range want {
				require.False(t, isPerPlace(name), "%s is in deploy/settings although each place decides it", name)
			}
			all := places(t, role)
			for place, env := range all {
				require.Equal(t, want, env.shared(), place)
			}
			// Of what a place decides, each must decide all of it: a secret that only one
			// of them knows is a source that only one of them has. The build is the tag of
			// a chart, and in the binary of an image that is built here.
			chart := slices.DeleteFunc(all["chart"].own(), func(name string) bool { return name == "HOLDFAST_BUILD_ID" })
			require.Equal(t, chart, all["compose "+role+"-1"].own())
			require.Equal(t, all["compose "+role+"-1"], all["compose "+role+"-2"])
		})
	}
}

func TestStepsHaveTheSettingsOfTheProcesses(t *testing.T) {
	t.Parallel()
	c, chart := composeFile(t), render(t, "fleet")
	common := settingsFiles(t, "common.env")
	require.Equal(t, common, c.environment(t, "migrate").shared())
	require.Equal(t, common, chart.job(t, "migrate").container().environment(t).shared())

	worker := settingsFiles(t, "common.env", "worker.env")
	require.Equal(t, worker, c.environment(t, "deployment").shared())
	setCurrent := chart.job(t, "set-current").container().environment(t)
	require.Equal(t, worker["HOLDFAST_DEPLOYMENT"], setCurrent["HOLDFAST_DEPLOYMENT"])
	require.Equal(t, chart.deployment(t, "worker").container().environment(t)["HOLDFAST_BUILD_ID"], setCurrent["HOLDFAST_BUILD_ID"])

	// The namespace that is prepared is the one that is used.
	require.Equal(t, common["TEMPORAL_NAMESPACE"], c.environment(t, "temporal-namespace")["TEMPORAL_NAMESPACE"])
}

func TestSettingsAreOnesThatTheProgramKnows(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"ingress", "worker"} {
		for place, env := range places(t, role) {
			known, required := knownFor(t, role, env["HOLDFAST_SOURCES"])
			for name := range env {
				if name != "GOMEMLIMIT" { // the Go runtime's own
					require.Contains(t, known, plain(name), "%s, %s", place, role)
				}
			}
			own := env.own()
			for _, name := range required {
				require.Contains(t, own, name, "%s, %s: a source needs it", place, role)
			}
		}
	}
}

func TestEachProviderIsASourceOfTheFleet(t *testing.T) {
	t.Parallel()
	_, required := knownFor(t, "ingress", settingsFiles(t, "ingress.env")["HOLDFAST_SOURCES"])
	// Each provider but Redeam, whose key can be given in two ways, requires a secret.
	require.Len(t, required, 4, "one each of redox and redo, two of socialboards")
}
