package deploy_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// compose is docker-compose.yml, as far as the tests look into it.
type compose struct {
	Services map[string]service
	Networks map[string]struct{ Internal bool }
	Volumes  map[string]any
	Secrets  map[string]struct{ File string }
}

type service struct {
	Image       string
	Build       *struct{ Context, Dockerfile string }
	Command     words
	Entrypoint  words
	User        string
	EnvFile     []string `yaml:"env_file"`
	Environment map[string]string
	Secrets     []string
	Volumes     []string
	Ports       []string
	Networks    []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck *struct {
		Test    []string
		Retries int
	}
	Restart         string
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	CapAdd          []string `yaml:"cap_add"`
	Privileged      bool
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	Deploy          struct {
		Resources struct {
			Limits struct{ CPUs, Memory string }
		}
	}
}

// words is a command line as a list; Compose would split a string by its own rules.
type words []string

// composeFile reads docker-compose.yml.
func composeFile(t *testing.T) compose {
	t.Helper()
	var c compose
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c))
	require.NotEmpty(t, c.Services)
	return c
}

// interpolation is ${NAME:-default}, where Compose puts the default unless its own
// environment has the name.
var interpolation = regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`)

// names returns the services, sorted.
func (c compose) names() []string { return slices.Sorted(maps.Keys(c.Services)) }

// ours tells whether a service runs Holdfast itself.
func (s service) ours() bool { return s.Build != nil }

// job tells whether a service does one thing and ends.
func (s service) job() bool { return strings.HasPrefix(s.Restart, "on-failure") }

// environment returns what a service is told: its files first, as Compose reads them.
func (c compose) environment(t *testing.T, name string) environment {
	t.Helper()
	require.Contains(t, c.Services, name)
	s := c.Services[name]
	all := environment{}
	for _, file := range s.EnvFile {
		require.Equal(t, "deploy/settings", filepath.Dir(file), name)
		for key, value := range settingsFiles(t, filepath.Base(file)) {
			require.NotContains(t, all, key, "%s is in two files of %s", key, name)
			all[key] = value
		}
	}
	for key, value := range s.Environment {
		require.NotContains(t, all, key, "%s of %s changes what deploy/settings says", key, name)
		value = interpolation.ReplaceAllString(value, "$1")
		require.NotEmpty(t, value, "%s of %s is empty, which Holdfast refuses", key, name)
		all[key] = value
	}
	return all
}
