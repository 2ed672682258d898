package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
)

// operatorOptions are the flags of every command that talks to the operator API.
type operatorOptions struct {
	*globals
	url    string
	output string
}

func (o *operatorOptions) addFlags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&o.url, "operator-url", "", "`URL` of the operator API (default from HOLDFAST_OPERATOR_LISTEN, else http://127.0.0.1:8081); its token is HOLDFAST_OPERATOR_TOKEN")
	cmd.PersistentFlags().StringVarP(&o.output, "output", "o", "table", "`form` of the output: table or json")
}

// json tells whether the output is for programs.
func (o *operatorOptions) json() (bool, error) {
	switch o.output {
	case "json":
		return true, nil
	case "table":
		return false, nil
	default:
		return false, fmt.Errorf("--output must be table or json, not %q", o.output)
	}
}

// client finds the operator API. What `holdfast dev` keeps is asked last, and
// never for the token of an address that somebody else named.
func (o *operatorOptions) client() (*operatorClient, error) {
	env := o.env
	if o.url == "" {
		kept, err := readDevEnv(o.dataDir)
		if err != nil {
			return nil, err
		}
		if _, named, _ := providers.Lookup(o.env, "HOLDFAST_OPERATOR_LISTEN"); !named {
			env = o.env.or(kept)
		}
	}
	listen, err := env.setting("HOLDFAST_OPERATOR_LISTEN", "127.0.0.1:8081")
	if err != nil {
		return nil, err
	}
	token, err := env.setting("HOLDFAST_OPERATOR_TOKEN", "")
	if err != nil {
		return nil, err
	}
	base := o.url
	if base == "" {
		base = "http://" + dialable(listen)
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("--operator-url must look like http://127.0.0.1:8081")
	}
	return &operatorClient{
		base:  strings.TrimSuffix(base, "/"),
		token: providers.Secret(token),
		http: &http.Client{
			Timeout: time.Minute,
			// Nothing there redirects, and the token is for this address only.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// dialable turns an address to listen on into one to connect to.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// operatorClient talks to the operator API of one process.
type operatorClient struct {
	base  string
	token providers.Secret
	http  *http.Client
}

// get asks and decodes the answer into a pointer; a *[]byte takes it as it is.
func (c *operatorClient) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.do(ctx, http.MethodGet, path, query, nil, into)
}

func (c *operatorClient) post(ctx context.Context, path string, query url.Values, body, into any) error {
	return c.do(ctx, http.MethodPost, path, query, body, into)
}

func (c *operatorClient) do(ctx context.Context, method, path string, query url.Values, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("ask the operator API: %w", err)
	}
	if body != nil {
		r.Body = io.NopCloser(bytes.NewReader(content))
		r.ContentLength = int64(len(content))
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return unreachable(c.base, "--operator-url or HOLDFAST_OPERATOR_LISTEN", err)
	}
	defer answer.Body.Close()
	received, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("read the answer of the operator API at %s: %w", c.base, err)
	}
	if answer.StatusCode/100 != 2 {
		return c.refusal(answer, received)
	}
	if raw, ok := into.(*[]byte); ok {
		*raw = received
		return nil
	}
	if err := json.Unmarshal(received, into); err != nil {
		return c.stranger(answer)
	}
	return nil
}

// refusal turns an answer that is not a 2xx into an error for people.
func (c *operatorClient) refusal(answer *http.Response, body []byte) error {
	var told operator.ErrorJSON
	if json.Unmarshal(body, &told) != nil || told.Error == "" {
		return c.stranger(answer)
	}
	if answer.StatusCode == http.StatusUnauthorized {
		problem := "does not accept the token"
		if c.token == "" {
			problem = "wants a token"
		}
		return fmt.Errorf("the operator API at %s %s: set HOLDFAST_OPERATOR_TOKEN to what that process was started with", c.base, problem)
	}
	return &refusedError{status: answer.StatusCode, text: clean(told.Error)}
}

// refusedError is the operator API's own words, for people.
type refusedError struct {
	status int
	text   string
}

func (e *refusedError) Error() string { return e.text }

// aboutSubject adds what a subject ID looks like, if one that was not found does
// not look like that.
func aboutSubject(id string, err error) error {
	var refused *refusedError
	if errors.As(err, &refused) && refused.status == http.StatusNotFound && !strings.Contains(id, "/") {
		return fmt.Errorf("%w; an ID begins with its source, such as redo/%s", err, clean(id))
	}
	return err
}

func (c *operatorClient) stranger(answer *http.Response) error {
	return fmt.Errorf("%s answers (%s), but not as Holdfast's operator API does: is that its address? --operator-url or HOLDFAST_OPERATOR_LISTEN says where it is",
		c.base, answer.Status)
}

// unreachable explains why there was no answer. The settings are those that name
// the address.
func unreachable(address, settings string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s: is `holdfast dev` running? %s says where it is", address, settings)
	}
	// The *url.Error around it repeats the whole URL.
	var around *url.Error
	if errors.As(err, &around) {
		err = around.Err
	}
	return fmt.Errorf("no answer from %s: %w; %s says where it is", address, err, settings)
}
