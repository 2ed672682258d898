package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/bench/sending"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// sendSource is a source as its sender knows it.
type sendSource struct{ provider, name string }

// providerNames are what can be sent.
func providerNames() (names []string) {
	for _, d := range providers.Dialects() {
		names = append(names, d.Name)
	}
	return names
}

// namedProvider takes a command's one argument.
func namedProvider(args []string, command string) error {
	names := providerNames()
	if len(args) == 1 && slices.Contains(names, args[0]) {
		return nil
	}
	problem := "name one provider"
	if len(args) == 1 {
		problem = fmt.Sprintf("there is no provider %q", args[0])
	}
	return fmt.Errorf("%s: %s; for example: holdfast %s redo", problem, strings.Join(names, ", "), command)
}

// url is where the source's webhooks go. An address without a path names only who
// receives them, such as a load balancer; an empty one is this machine.
func (s sendSource) url(env environment, address string) (string, error) {
	if address == "" {
		listen, err := env.setting("HOLDFAST_LISTEN", ":8080")
		if err != nil {
			return "", err
		}
		_, port, err := net.SplitHostPort(listen)
		if err != nil {
			return "", errors.New("HOLDFAST_LISTEN: must be host:port or :port, such as :8080; or say --url")
		}
		address = "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("--url must look like http://127.0.0.1:8080 or http://127.0.0.1:8080/webhooks/%s", s.name)
	}
	if u.Path == "" || u.Path == "/" {
		u = u.JoinPath("webhooks", s.name)
	}
	return u.String(), nil
}

// sign completes options with what the source's webhooks are signed with.
func (s sendSource) sign(env environment, dataDir string, o samples.Options) (samples.Options, error) {
	prefix := ingress.SourceEnv(s.name) + "_"
	var problems []error
	o = samples.Fill(s.provider, o, func(name string) string {
		value, err := env.setting(prefix+name, "")
		problems = append(problems, err)
		return value
	})
	if err := allProblems(problems...); err != nil {
		return o, err
	}
	if o.Secret == "" {
		return o, fmt.Errorf("no secret to sign with for source %s: set %s%s, use --secret, or start `holdfast dev` first (it keeps its own in %s)",
			s.name, prefix, samples.SecretSetting(s.provider), dataDir)
	}
	return o, nil
}

// refusal is the error of an answer that is not a 2xx; nil for one that is.
func (s sendSource) refusal(url string, a sending.Answer) error {
	if a.Err != nil {
		return unreachable(url, "--url or HOLDFAST_LISTEN", a.Err)
	}
	if a.Accepted() {
		return nil
	}
	text := strings.TrimSpace(fmt.Sprintf("%s answered %d %s", url, a.Status, http.StatusText(a.Status)))
	if told := short(strings.TrimSpace(string(a.Body)), 300); told != "" {
		text += ": " + told
	}
	return fmt.Errorf("%s%s", text, s.advice(a.Status))
}

// advice says what may have led to a status.
func (s sendSource) advice(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return fmt.Sprintf("\nIs it signed with what the source %s has as %s_%s, there where it runs?",
			s.name, ingress.SourceEnv(s.name), samples.SecretSetting(s.provider))
	case http.StatusNotFound:
		return fmt.Sprintf("\nIs %s in HOLDFAST_SOURCES, there where it runs?", s.name)
	case http.StatusNotImplemented:
		return "\nA query is refused, and not stored."
	case http.StatusServiceUnavailable:
		return "\nThe process's log says why; a real sender would try again later."
	default:
		return ""
	}
}
