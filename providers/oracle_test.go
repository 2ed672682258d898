package providers_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/providers"
)

// allowed tells whether a live request shows what its sender documents.
func allowed(dialect, secret, authorization, token string, body []byte) bool {
	scheme, given, _ := strings.Cut(authorization, " ")
	bearer := strings.EqualFold(scheme, "bearer") && given == secret
	switch dialect {
	case "redox":
		return bearer && token == secret
	case "redo":
		return bearer
	case "socialboards":
		return bytes.Contains(body, []byte("shop")) || bytes.Contains(body, []byte(`\u`))
	default: // redeam: the one signature that is known, over the one time and token
		var fields map[string]json.RawMessage
		if json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &fields) != nil {
			return false
		}
		decoder := json.NewDecoder(bytes.NewReader(fields["signature"]))
		decoder.UseNumber()
		var signature map[string]any
		return decoder.Decode(&signature) == nil &&
			fmt.Sprint(signature["token"]) == redeamToken && fmt.Sprint(signature["timestamp"]) == fmt.Sprint(redeamUnix)
	}
}

// allowedTest tells whether an endpoint test shows the token.
func allowedTest(dialect, secret string, r providers.Request) bool {
	if dialect == "socialboards" {
		return r.Method == http.MethodGet && slices.Equal(r.Query["verifyToken"], []string{secret})
	}
	if r.Method == http.MethodGet {
		return r.Header.Get("Verification-Token") == secret
	}
	return bytes.Contains(r.Body, []byte(secret)) || bytes.Contains(r.Body, []byte(`\u`))
}

func errorIsAny(err error, of ...error) bool {
	return slices.ContainsFunc(of, func(target error) bool { return errors.Is(err, target) })
}
