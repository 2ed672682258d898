package deploy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pod is a pod's spec, as far as the tests look into it.
type pod struct {
	EnableServiceLinks            *bool  `yaml:"enableServiceLinks"`
	AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
	ServiceAccountName            string `yaml:"serviceAccountName"`
	TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
	RestartPolicy                 string `yaml:"restartPolicy"`
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		FSGroup        int                   `yaml:"fsGroup"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers     []container
	InitContainers []container `yaml:"initContainers"`
	Volumes        []volume
}

type container struct {
	Name, Image     string
	Command, Args   []string
	Env             []variable
	EnvFrom         []any `yaml:"envFrom"`
	Ports           []port
	StartupProbe    *probe `yaml:"startupProbe"`
	LivenessProbe   *probe `yaml:"livenessProbe"`
	ReadinessProbe  *probe `yaml:"readinessProbe"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Privileged               bool
		Capabilities             struct{ Drop, Add []string }
	} `yaml:"securityContext"`
	Resources    struct{ Requests, Limits map[string]string }
	VolumeMounts []mount `yaml:"volumeMounts"`
}

type variable struct {
	Name, Value string
	ValueFrom   *struct {
		SecretKeyRef *struct{ Name, Key string } `yaml:"secretKeyRef"`
	} `yaml:"valueFrom"`
}

type probe struct {
	HTTPGet *struct{ Path, Port string } `yaml:"httpGet"`
}

type mount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
	ReadOnly  bool   `yaml:"readOnly"`
}

type volume struct {
	Name   string
	Secret *struct {
		SecretName string `yaml:"secretName"`
	}
	Projected *struct {
		DefaultMode int `yaml:"defaultMode"`
		Sources     []struct {
			Secret *struct {
				Name  string
				Items []struct{ Key, Path string }
			}
		}
	}
}

// container is the pod's only one.
func (p pod) container() container {
	if len(p.Containers) != 1 {
		panic("a pod of this chart has one container")
	}
	return p.Containers[0]
}

// environment returns what the container is told. A value that comes from a secret is
// shown by where it comes from.
func (c container) environment(t *testing.T) environment {
	t.Helper()
	require.Empty(t, c.EnvFrom, "%s: each setting is named, so that nothing comes in unseen", c.Name)
	env := environment{}
	for _, v := range c.Env {
		require.NotContains(t, env, v.Name, "%s is given %s twice", c.Name, v.Name)
		if v.ValueFrom != nil {
			require.NotNil(t, v.ValueFrom.SecretKeyRef, v.Name)
			require.Empty(t, v.Value, v.Name)
			env[v.Name] = "secret " + v.ValueFrom.SecretKeyRef.Name + "/" + v.ValueFrom.SecretKeyRef.Key
			continue
		}
		require.NotEmpty(t, v.Value, "%s: %s is empty, which Holdfast refuses", c.Name, v.Name)
		env[v.Name] = v.Value
	}
	return env
}

// files returns the paths of all files that are mounted, nil for a folder whose
// files the chart does not name.
func (p pod) files(t *testing.T) (files map[string]bool, folders []string) {
	t.Helper()
	files = map[string]bool{}
	at := map[string]string{}
	for _, m := range p.container().VolumeMounts {
		require.True(t, m.ReadOnly, m.Name)
		require.NotContains(t, at, m.Name)
		at[m.Name] = m.MountPath
	}
	for _, v := range p.Volumes {
		require.Contains(t, at, v.Name, "a volume that nobody mounts")
		folder := at[v.Name]
		delete(at, v.Name)
		if v.Secret != nil {
			require.NotEmpty(t, v.Secret.SecretName)
			folders = append(folders, folder+"/")
			continue
		}
		require.NotNil(t, v.Projected, v.Name)
		require.Equal(t, 0o440, v.Projected.DefaultMode)
		for _, s := range v.Projected.Sources {
			require.NotEmpty(t, s.Secret.Name)
			for _, item := range s.Secret.Items {
				path := folder + "/" + item.Path
				require.NotEmpty(t, item.Key)
				require.False(t, files[path], "%s is mounted twice", path)
				files[path] = true
			}
		}
	}
	require.Empty(t, at, "mounts without a volume")
	return files, folders
}

// has tells whether a path is a mounted file, or may be one.
func has(files map[string]bool, folders []string, path string) bool {
	for _, folder := range folders {
		if strings.HasPrefix(path, folder) {
			return true
		}
	}
	return files[path]
}
