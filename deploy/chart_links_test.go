package deploy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// labels returns the labels that a selector asks for, of either form.
func (s spec) labels(t *testing.T) map[string]string {
	t.Helper()
	var wrapped selector
	if s.Selector.Decode(&wrapped) == nil && len(wrapped.MatchLabels) > 0 {
		return wrapped.MatchLabels
	}
	var plain map[string]string
	require.NoError(t, s.Selector.Decode(&plain))
	return plain
}

// match tells whether all wanted labels are there.
func match(wanted, labels map[string]string) bool {
	for key, value := range wanted {
		if labels[key] != value {
			return false
		}
	}
	return len(wanted) > 0
}

// selected returns the pods that have these labels.
func (all objects) selected(wanted map[string]string) []podTemplate {
	var found []podTemplate
	for _, o := range all {
		if o.Spec.Template != nil && match(wanted, o.Spec.Template.Metadata.Labels) {
			found = append(found, *o.Spec.Template)
		}
	}
	return found
}

func TestChartSelectorsSelect(t *testing.T) {
	t.Parallel()
	eachSet(t, func(t *testing.T, all objects) {
		t.Helper()
		for _, d := range all.of("Deployment") {
			wanted := d.Spec.labels(t)
			require.Len(t, all.selected(wanted), 1, "%s must have its own pods and no others'", d.Metadata.Name)
			for _, changing := range []string{"helm.sh/chart", "app.kubernetes.io/version"} {
				require.NotContains(t, wanted, changing, "a selector cannot change")
			}
		}
		for _, s := range all.of("Service") {
			pods := all.selected(s.Spec.labels(t))
			want := 1
			if strings.HasSuffix(s.Metadata.Name, "-operator") {
				want = 2
			}
			require.Len(t, pods, want, s.Metadata.Name)
			for _, p := range s.Spec.Ports {
				for _, one := range pods {
					require.True(t, listens(one, p.TargetPort), "%s: a pod without a port %s", s.Metadata.Name, p.TargetPort)
				}
			}
		}
		for _, b := range all.of("PodDisruptionBudget") {
			require.Len(t, all.selected(b.Spec.labels(t)), 1, b.Metadata.Name)
		}
		for _, m := range all.of("ServiceMonitor") {
			found := 0
			for _, s := range all.of("Service") {
				if match(m.Spec.labels(t), s.Metadata.Labels) {
					found++
					require.Equal(t, m.Spec.Endpoints[0].Port, s.Spec.Ports[0].Name)
				}
			}
			require.Equal(t, 1, found)
		}
	})
}

func listens(p podTemplate, name string) bool {
	for _, one := range p.Spec.Containers[0].Ports {
		if one.Name == name {
			return true
		}
	}
	return false
}

func TestChartScalersOwnTheNumberOfReplicas(t *testing.T) {
	t.Parallel()
	eachSet(t, func(t *testing.T, all objects) {
		t.Helper()
		scaled := map[string]bool{}
		for _, kind := range []string{"HorizontalPodAutoscaler", "ScaledObject"} {
			for _, scaler := range all.of(kind) {
				scaled[scaler.Spec.ScaleTargetRef.Name] = true
			}
		}
		for _, d := range all.of("Deployment") {
			require.Equal(t, scaled[d.Metadata.Name], d.Spec.Replicas == nil, "%s: two would fight over the number", d.Metadata.Name)
			delete(scaled, d.Metadata.Name)
		}
		require.Empty(t, scaled, "scalers of nothing")
	})
}

func TestChartScalesWorkersByTheBacklogOfTheirQueue(t *testing.T) {
	t.Parallel()
	all := render(t, "large")
	objects := all.of("ScaledObject")
	require.Len(t, objects, 1)
	trigger := objects[0].Spec.Triggers[0]
	env := all.deployment(t, "worker").container().environment(t)
	require.Equal(t, "temporal", trigger.Type)
	require.Equal(t, env["TEMPORAL_ADDRESS"], trigger.Metadata["endpoint"])
	require.Equal(t, env["TEMPORAL_NAMESPACE"], trigger.Metadata["namespace"])
	require.Equal(t, env["HOLDFAST_TASK_QUEUE"], trigger.Metadata["taskQueue"])
	require.Equal(t, env["HOLDFAST_DEPLOYMENT"], trigger.Metadata["workerDeploymentName"])
	require.Equal(t, env["HOLDFAST_BUILD_ID"], trigger.Metadata["workerDeploymentBuildId"])
}

func TestChartPoliciesFenceEveryPod(t *testing.T) {
	t.Parallel()
	for _, values := range []string{"large", "cloud"} {
		all := render(t, values)
		policies := all.of("NetworkPolicy")
		require.NotEmpty(t, policies)
		for _, o := range all {
			if o.Spec.Template == nil {
				continue
			}
			fenced := 0
			for _, p := range policies {
				require.Equal(t, []string{"Ingress", "Egress"}, p.Spec.PolicyTypes)
				if match(p.Spec.PodSelector.MatchLabels, o.Spec.Template.Metadata.Labels) {
					fenced++
				}
			}
			require.Equal(t, 1, fenced, "%s: %s", values, o.Metadata.Name)
		}
	}
}

func TestChartNamesAreOnesThatKubernetesTakes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a-long-name-", 5)
	for _, o := range render(t, "large", "--set", "fullnameOverride="+long) {
		require.LessOrEqual(t, len(o.Metadata.Name), 63, o.Metadata.Name)
		require.Regexp(t, `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`, o.Metadata.Name)
		require.Equal(t, "holdfast", o.Metadata.Labels["app.kubernetes.io/name"], o.Metadata.Name)
	}
}
