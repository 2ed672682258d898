package samples

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Handshake is the Type of an endpoint test, for the dialects that have one.
const Handshake = "handshake"

// Options say which webhook to make. Zero fields take the dialect's defaults.
type Options struct {
	// Secret is what the source has under SecretSetting.
	Secret string

	// Type is the event's type, one of Types.
	Type string
	// Subject is the provider's own id, without the source.
	Subject string
	// N tells which of a series of one subject and type it is: each has a key of
	// its own and a later time than the one before.
	N int
	// At is the time of the series; zero is now. The same Options with the same At
	// make the same delivery again.
	At time.Time

	// Body is sent in place of a sample, signed if the dialect signs bodies. Type
	// then matters only where it is no part of the body, Subject and N never.
	Body []byte

	// Community and VerifyToken are SocialBoards' settings. Community is Secret if
	// it is empty.
	Community   string
	VerifyToken string

	// Signature and SignatureTemplate are Redeam's settings.
	Signature         string
	SignatureTemplate string
}

// Sample is an HTTP request. Its path is the source's, with Suffix as one more
// segment if there is one.
type Sample struct {
	Method string
	Suffix string
	Query  url.Values
	Header http.Header
	Body   []byte

	// Type and Subject are what the dialect will read in it; empty with
	// Options.Body and for an endpoint test.
	Type    string
	Subject string
}

// ErrOptions means that a webhook cannot be made as asked. Its text says what
// to ask instead.
var ErrOptions = errors.New("no such sample")

// dialect is what there is to know of one sender.
type dialect struct {
	name    string
	secret  string   // SecretSetting
	types   []string // the default first
	make    func(Options) (Sample, error)
	fill    func(o *Options, setting func(string) string)
	private func(random func() string) map[string]string
}

func dialects() []dialect {
	return []dialect{redox(), redeam(), redo(), socialboards()}
}

func named(name string) (dialect, error) {
	var names []string
	for _, d := range dialects() {
		if d.name == name {
			return d, nil
		}
		names = append(names, d.name)
	}
	return dialect{}, fmt.Errorf("%w: there is no provider %q; there are %s", ErrOptions, name, strings.Join(names, ", "))
}

// Types lists the types that Make knows for a dialect, the default first, and
// nothing for an unknown dialect.
func Types(name string) []string {
	d, err := named(name)
	if err != nil {
		return nil
	}
	return d.types
}

// SecretSetting is the setting that Options.Secret comes from, as the end of its
// environment name: SECRET for redo. It is empty for an unknown dialect.
func SecretSetting(name string) string {
	d, err := named(name)
	if err != nil {
		return ""
	}
	return d.secret
}

// Fill takes what o does not say from a source's own settings. setting is given
// the end of an environment name, such as SECURITY_KEYS, and returns its value
// or nothing.
func Fill(name string, o Options, setting func(string) string) Options {
	d, err := named(name)
	if err != nil {
		return o
	}
	o.Type = cmpOr(o.Type, d.types[0])
	d.fill(&o, setting)
	o.Secret = cmpOr(o.Secret, setting(d.secret))
	return o
}

// ThrowAway makes the settings that a source of a dialect needs, by the end of
// their environment names. random returns another secret at each call.
func ThrowAway(name string, random func() string) map[string]string {
	d, err := named(name)
	if err != nil {
		return nil
	}
	return d.private(random)
}

// Make makes a webhook. Its errors are ErrOptions.
func Make(name string, o Options) (Sample, error) {
	d, err := named(name)
	if err != nil {
		return Sample{}, err
	}
	o.Type = cmpOr(o.Type, d.types[0])
	if o.At.IsZero() {
		o.At = time.Now()
	}
	o.At = o.At.UTC()
	if o.N < 0 {
		return Sample{}, fmt.Errorf("%w: N is negative", ErrOptions)
	}
	if o.Body == nil && !slices.Contains(d.types, o.Type) {
		return Sample{}, fmt.Errorf("%w: %s sends no %q; there are %s", ErrOptions, name, o.Type, strings.Join(d.types, ", "))
	}
	s, err := d.make(o)
	if err != nil {
		return Sample{}, err
	}
	if o.Body != nil || o.Type == Handshake {
		s.Type, s.Subject = "", ""
	}
	return s, nil
}

func missing(setting string) error {
	return fmt.Errorf("%w: the secret is missing: what the source has as %s", ErrOptions, setting)
}
