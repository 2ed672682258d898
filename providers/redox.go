package providers

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// RedoxConfig are the settings of a Redox source.
type RedoxConfig struct {
	Common
	Token           Secret   `required:"true" desc:"the verification token entered for the endpoint in the Redox dashboard"`
	PreviousToken   Secret   `split_words:"true" desc:"the token before a rotation, accepted too while it is set"`
	IdentifierTypes []string `split_words:"true" default:"MR,EHRID" desc:"which types of a patient's identifiers make the subject, the first that is there; else the first identifier"`
}

// Validate implements settings.
func (c *RedoxConfig) Validate(report func(setting, problem string)) {
	if c.Token == "" {
		report("TOKEN", "is required: the verification token entered for the endpoint in the Redox dashboard")
	}
	for _, kind := range c.IdentifierTypes {
		if strings.TrimSpace(kind) == "" {
			report("IDENTIFIER_TYPES", "has an empty entry; write it as MR,EHRID")
		}
	}
}

func (c *RedoxConfig) provider() Provider {
	p := &Redox{token: newRotating(c.Token, c.PreviousToken)}
	for _, kind := range c.IdentifierTypes {
		p.types = append(p.types, strings.TrimSpace(kind))
	}
	return p
}

func redoxDialect() Dialect {
	return Dialect{
		Name:             "redox",
		New:              func(prefix string) (Source, error) { return newSource(prefix, new(RedoxConfig)) },
		Settings:         func() any { return new(RedoxConfig) },
		PersonalSubjects: true,
	}
}

// Redox sends health records in two forms: its own data models, which have a
// Meta block, and FHIR bundles. A static token is all there is to prove that a
// request is genuine, so nothing covers the body and nothing prevents a replay
// but TLS and the inbox.
type Redox struct {
	token rotating
	types []string
}

// verificationToken is the name of the token's field in an endpoint test, and of
// older endpoints' header.
const (
	verificationToken  = "verification-token"
	verificationHeader = "Verification-Token"
)

// Verify wants the token as authorization, or in its own header if there is no
// authorization. If both are there both must be right.
func (p *Redox) Verify(r Request) error {
	proven, err := p.VerifyHeader(r)
	if err == nil && !proven {
		return notGenuine("there is neither an authorization nor a verification-token header")
	}
	return err
}

// VerifyHeader leaves open only what has neither header: an endpoint test may
// have its token in the body.
func (p *Redox) VerifyHeader(r Request) (proven bool, err error) {
	if err := posted(r); err != nil {
		return false, err
	}
	authorized, hasBearer, err := bearer(r.Header)
	if err != nil {
		return false, notGenuine(err.Error())
	}
	verified, hasToken, err := onlyHeader(r.Header, verificationHeader)
	switch {
	case err != nil:
		return false, notGenuine(err.Error())
	case hasBearer && !p.token.accepts(authorized):
		return false, notGenuine("the bearer token is wrong")
	case hasToken && !p.token.accepts(verified):
		return false, notGenuine("the verification-token header is wrong")
	default:
		return hasBearer || hasToken, nil
	}
}

// maxTest is more than any endpoint test has: nothing longer is looked into.
const maxTest = 4 << 10

// Handshake answers an endpoint test: a POST whose JSON has a challenge and a
// verification-token and is no message, or a GET with the same names in its
// query, or with the token in a header as old endpoints have it.
func (p *Redox) Handshake(r Request) (Answer, bool) {
	challenge, tokens, ok := redoxTest(r)
	if !ok {
		return Answer{}, false
	}
	if len(tokens) == 0 || slices.ContainsFunc(tokens, func(t string) bool { return !p.token.accepts(t) }) {
		return p.Refuse(r, http.StatusUnauthorized, "not genuine"), true
	}
	answer, ok := echo(challenge)
	if !ok {
		return p.Refuse(r, http.StatusBadRequest, "the challenge is too long"), true
	}
	return answer, true
}

func redoxTest(r Request) (challenge string, tokens []string, ok bool) {
	if r.Method == http.MethodGet {
		challenges := r.Query["challenge"]
		if len(challenges) != 1 || challenges[0] == "" {
			return "", nil, false
		}
		inQuery, inHeader := r.Query[verificationToken], r.Header.Values(verificationHeader)
		if len(inQuery) > 1 || len(inHeader) > 1 {
			return challenges[0], nil, true
		}
		return challenges[0], slices.Concat(inQuery, inHeader), true
	}
	if r.Method != http.MethodPost || len(r.Body) > maxTest || !mayName(r.Body, "challenge") {
		return "", nil, false
	}
	var body map[string]json.RawMessage
	if err := decode(r.Body, &body); err != nil {
		return "", nil, false
	}
	var token string
	if json.Unmarshal(body["challenge"], &challenge) != nil || json.Unmarshal(body[verificationToken], &token) != nil {
		return "", nil, false
	}
	return challenge, []string{token}, challenge != "" && body["Meta"] == nil && body["resourceType"] == nil
}

// mayName tells quickly of most bodies that they have no such name. One with escapes
// may have any.
func mayName(body []byte, name string) bool {
	return bytes.Contains(body, []byte(name)) || bytes.IndexByte(body, '\\') >= 0
}
