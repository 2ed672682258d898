package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// withToken is an environment with a token more.
func withToken(env environment, token string) environment {
	return func(name string) (string, bool) {
		if name == "HOLDFAST_OPERATOR_TOKEN" {
			return token, true
		}
		return env(name)
	}
}

func TestOperatorTokenIsSentAndNeverShown(t *testing.T) {
	t.Parallel()
	r := startAPI(t, testToken)
	require.NoError(t, command(t, withToken(r.env, testToken), "", "events", "list").err)

	none := command(t, r.env, "", "events", "list")
	require.ErrorContains(t, none.err, "wants a token: set HOLDFAST_OPERATOR_TOKEN")
	wrong := command(t, withToken(r.env, "another-wrong-token"), "", "events", "list")
	require.ErrorContains(t, wrong.err, "does not accept the token: set HOLDFAST_OPERATOR_TOKEN")
	require.NotContains(t, wrong.err.Error()+wrong.stderr+wrong.stdout, "another-wrong-token")
	odd := command(t, withToken(r.env, "line\nbreak"), "", "events", "list")
	require.Error(t, odd.err)
	require.NotContains(t, odd.err.Error(), "break")
}

func TestOperatorTokenFromAFile(t *testing.T) {
	t.Parallel()
	r := startAPI(t, testToken)
	file := filepath.Join(t.TempDir(), "token")
	env := func(name string) (string, bool) {
		if name == "HOLDFAST_OPERATOR_TOKEN_FILE" {
			return file, true
		}
		return r.env(name)
	}
	require.EqualError(t, command(t, env, "", "events", "list").err,
		"HOLDFAST_OPERATOR_TOKEN_FILE: the file "+file+" cannot be read: there is no such file")
	require.NoError(t, os.WriteFile(file, []byte(testToken+"\n"), 0o600))
	require.NoError(t, command(t, env, "", "events", "list").err)
}

func TestOperatorNobodyListens(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	r := command(t, noEnvironment, "", "events", "list", "--operator-url", url)
	require.EqualError(t, r.err, "nothing listens at "+url+": is `holdfast dev` running? --operator-url or HOLDFAST_OPERATOR_LISTEN says where it is")
}

func TestOperatorAddressOfSomethingElse(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	redirecting := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(redirecting.Close)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(page.Close)
	for _, url := range []string{elsewhere.URL, redirecting.URL, page.URL} {
		r := command(t, noEnvironment, "", "events", "list", "--operator-url", url)
		require.ErrorContains(t, r.err, "but not as Holdfast's operator API does")
	}
	for _, url := range []string{"127.0.0.1:8081", "ftp://x", "http://", "://"} {
		r := command(t, noEnvironment, "", "events", "list", "--operator-url", url)
		require.ErrorContains(t, r.err, "--operator-url must look like")
	}
}

func TestOperatorKeptSettingsAreUsedForTheirOwnAddressOnly(t *testing.T) {
	t.Parallel()
	r := startAPI(t, testToken)
	address, _ := r.env("HOLDFAST_OPERATOR_LISTEN")
	dir := t.TempDir()
	require.NoError(t, writeDevEnv(dir, map[string]string{"HOLDFAST_OPERATOR_LISTEN": address, "HOLDFAST_OPERATOR_TOKEN": testToken}))
	require.NoError(t, command(t, noEnvironment, "", "events", "list", "--data-dir", dir).err)

	var given []string
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given = append(given, r.Header.Get("Authorization"))
		http.NotFound(w, r)
	}))
	t.Cleanup(spy.Close)
	spyEnv := func(name string) (string, bool) {
		return spy.Listener.Addr().String(), name == "HOLDFAST_OPERATOR_LISTEN"
	}
	require.Error(t, command(t, noEnvironment, "", "events", "list", "--data-dir", dir, "--operator-url", spy.URL).err)
	require.Error(t, command(t, spyEnv, "", "events", "list", "--data-dir", dir).err)
	require.Equal(t, []string{"", ""}, given)

	require.NoError(t, os.WriteFile(filepath.Join(dir, devEnvFile), []byte("broken\n"), 0o600))
	require.ErrorContains(t, command(t, noEnvironment, "", "events", "list", "--data-dir", dir).err, "dev.env line 1")
}

func TestOperatorCanBeInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	released := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel(); <-released }))
	t.Cleanup(slow.Close)
	defer close(released)
	root := rootCommand(noEnvironment)
	root.SetArgs([]string{"events", "list", "--operator-url", slow.URL})
	require.ErrorIs(t, root.ExecuteContext(ctx), context.Canceled)
}
