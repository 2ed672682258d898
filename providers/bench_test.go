package providers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/bench/cputime"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// benched is a genuine request of a dialect: the sample that holdfast send sends.
type benched struct {
	name     string
	provider providers.Provider
	request  providers.Request
}

// benchedDialects makes one of each dialect. It sets environment variables.
func benchedDialects(tb testing.TB) []benched {
	tb.Helper()
	var all []benched
	for _, dialect := range providers.Dialects() {
		settings := samples.ThrowAway(dialect.Name, func() string { return "throw-away-0000000000000000000000000" })
		env := "BENCHED_" + strings.ToUpper(dialect.Name)
		for name, value := range settings {
			tb.Setenv(env+"_"+name, value)
		}
		source, err := dialect.New(env)
		require.NoError(tb, err)
		at := time.Now()
		sample, err := samples.Make(dialect.Name, samples.Fill(dialect.Name, samples.Options{At: at},
			func(name string) string { return settings[name] }))
		require.NoError(tb, err)
		all = append(all, benched{name: dialect.Name, provider: source.Provider, request: providers.Request{
			Method: sample.Method, Header: sample.Header, Query: sample.Query, Suffix: sample.Suffix,
			Body: sample.Body, ReceivedAt: at,
		}})
	}
	return all
}

// judge is what the ingress asks of a provider before it reads the body's events.
func (s benched) judge() error {
	if verifier, ok := s.provider.(providers.HeaderVerifier); ok {
		if _, err := verifier.VerifyHeader(s.request); err != nil {
			return err
		}
	}
	if handshaker, ok := s.provider.(providers.Handshaker); ok {
		handshaker.Handshake(s.request)
	}
	return s.provider.Verify(s.request)
}

// BenchmarkProvider measures what a genuine request costs a dialect: to verify it
// as the ingress does, headers and handshake first, and to parse it.
func BenchmarkProvider(b *testing.B) {
	for _, s := range benchedDialects(b) {
		b.Run(s.name+"/Verify", func(b *testing.B) {
			report := cputime.Start()
			for b.Loop() {
				if err := s.judge(); err != nil {
					b.Fatal(err)
				}
			}
			report(b, b.N)
		})
		b.Run(s.name+"/Parse", func(b *testing.B) {
			report := cputime.Start()
			for b.Loop() {
				if events, err := s.provider.Parse(s.request); err != nil || len(events) != 1 {
					b.Fatal(len(events), err)
				}
			}
			report(b, b.N)
		})
	}
}
