package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pinned is an image with a version that stands for one build.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?[a-z0-9.-]*$`)

func TestComposeContainersAreConfined(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	for _, name := range c.names() {
		s := c.Services[name]
		if s.ours() {
			require.Equal(t, "deploy/Dockerfile", s.Build.Dockerfile, name)
			require.Equal(t, "holdfast:${HOLDFAST_VERSION:-dev}", s.Image, name)
			// The program takes this command line: with --help it says so and does nothing.
			run(t, program(t), append(s.Command, "--help")...)
		} else {
			require.Regexp(t, pinned, s.Image, name)
		}
		// The UI writes its configuration when it starts.
		require.Equal(t, name != "temporal-ui", s.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Empty(t, s.CapAdd, name)
		require.False(t, s.Privileged, name)
		require.Contains(t, s.SecurityOpt, "no-new-privileges:true", name)
		require.NotEmpty(t, s.Deploy.Resources.Limits.CPUs, name)
		require.NotEmpty(t, s.Deploy.Resources.Limits.Memory, name)
		for _, published := range s.Ports {
			require.Regexp(t, `^127\.0\.0\.1:\d+:\d+$`, published, "%s must not listen to the whole network", name)
			require.Contains(t, s.Networks, "outside", "%s: a port of an internal network cannot be published", name)
		}
	}
	require.True(t, c.Networks["inside"].Internal)
	require.Equal(t, []string{"inside"}, c.Services["postgres"].Networks)
	require.Equal(t, []string{"inside"}, c.Services["temporal"].Networks)
}

func TestComposeStartsInOrder(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	for _, name := range c.names() {
		s := c.Services[name]
		for other, on := range s.DependsOn {
			require.Contains(t, c.Services, other, name)
			switch on.Condition {
			case "service_completed_successfully":
				require.True(t, c.Services[other].job(), "%s waits for the end of %s, which is no job", name, other)
			case "service_healthy":
				require.NotNil(t, c.Services[other].Healthcheck, "%s waits for the health of %s, which has no check", name, other)
			case "service_started":
			default:
				require.Fail(t, "no such condition", "%s: %s", name, on.Condition)
			}
		}
		if !s.job() && name != "temporal-ui" { // nothing waits for the UI, and its image promises no tool
			require.NotNil(t, s.Healthcheck, name)
			require.Equal(t, "CMD", s.Healthcheck.Test[0], "%s: a check without a shell between", name)
			require.Positive(t, s.Healthcheck.Retries, name)
		}
		if s.ours() && !s.job() {
			require.Equal(t, []string{"CMD", "/usr/local/bin/holdfast", "health", "--ready"}, s.Healthcheck.Test, name)
			require.Contains(t, s.DependsOn, "migrate", name)
		}
	}
	require.NotContains(t, c.Services["ingress-1"].DependsOn, "temporal", "an ingress accepts without Temporal")
	require.Contains(t, c.Services["worker-1"].DependsOn, "temporal-namespace")
}

func TestComposeSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	used := map[string]bool{}
	mounted := regexp.MustCompile(`/run/secrets/([a-z_]+)`)
	for _, name := range c.names() {
		s := c.Services[name]
		for _, secret := range s.Secrets {
			require.Contains(t, c.Secrets, secret, name)
			used[secret] = true
		}
		text := fmt.Sprint(s.Environment, s.Entrypoint, s.Command)
		for _, match := range mounted.FindAllStringSubmatch(text, -1) {
			require.Contains(t, s.Secrets, match[1], "%s names a secret that it is not given", name)
		}
		for key, value := range s.Environment {
			if regexp.MustCompile(`PASSWORD|SECRET|TOKEN|_KEY|COMMUNITY|INBOX`).MatchString(key) {
				require.Regexp(t, `^/run/secrets/[a-z_]+$`, value, "%s: %s", name, key)
			}
		}
	}
	require.Len(t, used, len(c.Secrets), "secrets that nobody uses")
	require.NotContains(t, c.Services["worker-1"].Secrets, "redo_secret", "a worker sees no webhook's secret")
}

func TestComposeScriptMakesTheSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "secrets.sh")
	require.NoError(t, os.WriteFile(script, []byte(read(t, "deploy/compose/secrets.sh")), 0o600))
	run(t, "sh", script)
	contents := func() map[string]string {
		all := map[string]string{}
		files, err := os.ReadDir(filepath.Join(dir, "secrets"))
		require.NoError(t, err)
		for _, file := range files {
			content, err := os.ReadFile(filepath.Join(dir, "secrets", file.Name()))
			require.NoError(t, err)
			all["deploy/compose/secrets/"+file.Name()] = strings.TrimSuffix(string(content), "\n")
		}
		return all
	}
	made := contents()
	var values []string
	for name, secret := range composeFile(t).Secrets {
		require.Contains(t, made, secret.File, name)
		require.GreaterOrEqual(t, len(made[secret.File]), 32, name)
		require.NotContains(t, values, made[secret.File], name)
		values = append(values, made[secret.File])
	}
	require.Len(t, made, len(values), "a secret that docker-compose.yml does not know")
	require.Contains(t, made["deploy/compose/secrets/holdfast_inbox"], ":"+made["deploy/compose/secrets/holdfast_db_password"]+"@postgres:5432/holdfast")

	info, err := os.Stat(filepath.Join(dir, "secrets"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "only the owner enters the folder")
	run(t, "sh", script)
	require.Equal(t, made, contents(), "secrets that are there stay")
	require.Contains(t, strings.Split(read(t, ".gitignore"), "\n"), "/deploy/compose/secrets/")
}

func TestComposeFilesAreThere(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	for _, name := range c.names() {
		for _, v := range c.Services[name].Volumes {
			source, rest, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(source, "./") {
				require.Contains(t, c.Volumes, source, name)
				continue
			}
			require.True(t, strings.HasSuffix(rest, ":ro"), "%s: %s can be written", name, v)
			require.FileExists(t, filepath.Join(root, existing(t, source)), name)
			if strings.Contains(rest, "/docker-entrypoint-initdb.d/") {
				info, err := os.Stat(filepath.Join(root, source))
				require.NoError(t, err)
				require.NotZero(t, info.Mode()&0o111, "%s: the image would read it into its own shell instead of running it", source)
			}
		}
	}
}

// existing is a path that must exist, or any file in it if it is a folder.
func existing(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(filepath.Join(root, path))
	require.NoError(t, err)
	if !info.IsDir() {
		return path
	}
	inside, err := os.ReadDir(filepath.Join(root, path))
	require.NoError(t, err)
	require.NotEmpty(t, inside, path)
	return existing(t, filepath.Join(path, inside[0].Name()))
}

func TestComposeDatabaseKeepsItsCommits(t *testing.T) {
	t.Parallel()
	command := composeFile(t).Services["postgres"].Command
	for _, want := range []string{"fsync=on", "synchronous_commit=on", "full_page_writes=on"} {
		require.True(t, slices.Contains(command, want), want)
	}
	for _, word := range command {
		require.NotRegexp(t, `=(off|local|remote_write)$`, word)
	}
}

func TestComposeProxyAndScraperKnowTheProcesses(t *testing.T) {
	t.Parallel()
	c := composeFile(t)
	proxy, scraper := read(t, "deploy/compose/haproxy.cfg"), read(t, "deploy/prometheus/prometheus.yml")
	var ingresses, all []string
	for _, name := range c.names() {
		if s := c.Services[name]; s.ours() && !s.job() {
			env := c.environment(t, name)
			all = append(all, name+env["HOLDFAST_OPERATOR_LISTEN"])
			if listen, ok := env["HOLDFAST_LISTEN"]; ok {
				ingresses = append(ingresses, name+listen)
				require.Contains(t, proxy, "check port "+strings.TrimPrefix(env["HOLDFAST_OPERATOR_LISTEN"], ":")+" ")
			}
		}
	}
	require.Len(t, all, 4)
	require.Equal(t, ingresses, matches(`(?m)^\s+server \S+ (\S+)$`, proxy))
	require.ElementsMatch(t, all, matches(`"([a-z]+-\d:\d+)"`, scraper))

	// Sent twice only if nothing was sent the first time.
	require.Equal(t, []string{"conn-failure"}, matches(`(?m)^\s+retry-on (.+)$`, proxy))
	require.Contains(t, proxy, "uri /readyz")
}

// matches returns the first group of each match.
func matches(pattern, text string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}
