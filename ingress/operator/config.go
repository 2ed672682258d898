package operator

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/holdfast-project/holdfast/providers"
)

// Config is the operator API's settings, under the prefix HOLDFAST.
type Config struct {
	OperatorListen string           `split_words:"true" default:"127.0.0.1:8081" desc:"address of the operator API, /healthz, /readyz and /metrics; other than loopback needs HOLDFAST_OPERATOR_TOKEN"`
	OperatorToken  providers.Secret `split_words:"true" desc:"bearer token of the operator API; without one only this machine gets in"`
}

// Validate reports every problem at once by environment name, without a value
// that is secret.
func (c Config) Validate() error {
	var problems []error
	host, _, err := net.SplitHostPort(c.OperatorListen)
	switch {
	case err != nil:
		problems = append(problems, errors.New("HOLDFAST_OPERATOR_LISTEN: must be host:port, such as 127.0.0.1:8081"))
	case c.OperatorToken == "" && !isLoopback(host):
		problems = append(problems, fmt.Errorf(
			"HOLDFAST_OPERATOR_TOKEN: must be set, because HOLDFAST_OPERATOR_LISTEN (%s) is not a loopback address; or listen on 127.0.0.1:8081",
			c.OperatorListen))
	}
	if strings.ContainsFunc(c.OperatorToken.Reveal(), notTokenRune) {
		problems = append(problems, errors.New("HOLDFAST_OPERATOR_TOKEN: must be printable ASCII without spaces, or no client could send it"))
	}
	return errors.Join(problems...)
}

func notTokenRune(r rune) bool { return r <= ' ' || r > '~' }

// isLoopback tells whether a host, as in a listen address or a Host header
// without its port, means this machine and nothing else.
func isLoopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
