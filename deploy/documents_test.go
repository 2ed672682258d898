package deploy_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// kubeVersion is the Kubernetes that the chart is rendered for, as in the Makefile.
const kubeVersion = "1.31.0"

// object is a Kubernetes object, as far as the tests look into it.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct {
		Name        string
		Labels      map[string]string
		Annotations map[string]string
	}
	Spec spec
}

type spec struct {
	Replicas *int
	// Selector is a map of labels in a Service, one of matchLabels elsewhere.
	Selector       yaml.Node
	PodSelector    selector `yaml:"podSelector"`
	Template       *podTemplate
	Ports          []port
	ScaleTargetRef struct{ Kind, Name string } `yaml:"scaleTargetRef"`
	Triggers       []trigger
	Endpoints      []struct{ Port, Path string }
	PolicyTypes    []string `yaml:"policyTypes"`

	BackoffLimit          *int `yaml:"backoffLimit"`
	ActiveDeadlineSeconds *int `yaml:"activeDeadlineSeconds"`
}

type trigger struct {
	Type     string
	Metadata map[string]string
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type port struct {
	Name          string
	Port          int
	TargetPort    string `yaml:"targetPort"`
	ContainerPort int    `yaml:"containerPort"`
}

type podTemplate struct {
	Metadata struct{ Labels map[string]string }
	Spec     pod
}

// objects are what one set of values renders to.
type objects []object

var helm = sync.OnceValues(func() (string, error) {
	if cli := os.Getenv("HELM_CLI"); cli != "" {
		return cli, nil
	}
	output, err := exec.Command("sh", filepath.Join(root, "deploy", "helm-cli.sh")).Output()
	return strings.TrimSpace(string(output)), err
})

// valueSets are the names of the sets of values in the chart's ci folder.
func valueSets(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "deploy/kubernetes/ci/*-values.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 4)
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), "-values.yaml"))
	}
	return names
}

// template runs `helm template` with a set of values and more arguments.
func template(t *testing.T, values string, args ...string) (string, error) {
	t.Helper()
	cli, err := helm()
	require.NoError(t, err, "find or build Helm")
	chart := filepath.Join(root, "deploy", "kubernetes")
	all := append([]string{"template", "holdfast", chart, "--kube-version", kubeVersion, "--namespace", "webhooks"}, args...)
	if values != "" {
		all = append(all, "--values", filepath.Join(chart, "ci", values+"-values.yaml"))
	}
	output, err := exec.CommandContext(t.Context(), cli, all...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, output)
	}
	return string(output), err
}

// render returns the objects that a set of values gives.
func render(t *testing.T, values string, args ...string) objects {
	t.Helper()
	text, err := template(t, values, args...)
	require.NoError(t, err)
	var all objects
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if o.Kind != "" {
			all = append(all, o)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// of returns the objects of a kind.
func (all objects) of(kind string) objects {
	var found objects
	for _, o := range all {
		if o.Kind == kind {
			found = append(found, o)
		}
	}
	return found
}

// ending returns the pod of the one object of a kind whose name ends like this.
func (all objects) ending(t *testing.T, kind, suffix string) pod {
	t.Helper()
	for _, o := range all.of(kind) {
		if strings.HasSuffix(o.Metadata.Name, "-"+suffix) {
			return o.Spec.Template.Spec
		}
	}
	require.FailNow(t, "no such object", "%s …-%s", kind, suffix)
	return pod{}
}

func (all objects) deployment(t *testing.T, role string) pod {
	t.Helper()
	return all.ending(t, "Deployment", role)
}

func (all objects) job(t *testing.T, name string) pod {
	t.Helper()
	return all.ending(t, "Job", name)
}
