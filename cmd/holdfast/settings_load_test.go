package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
)

// The tests that set the process's environment, which envconfig reads, cannot
// be parallel: t.Setenv forbids it.

func TestLoadFillsDefaultsAndValues(t *testing.T) {
	t.Setenv("HOLDFAST_ROUTES", "redo/*=https://app.test/hooks,*=log:")
	t.Setenv("HOLDFAST_RETRY_BUDGET", "90m")
	t.Setenv("HOLDFAST_PARK_STATUSES", "404,410")
	t.Setenv("HOLDFAST_OPERATOR_TOKEN", "a-token-that-is-long-enough")
	var base Config
	var worker activities.Config
	var api operator.Config
	require.NoError(t, load(&base, &worker, &api))
	require.Equal(t, Config{Inbox: "sqlite:./data/inbox.db", InboxConnections: 10, Migrate: true, TaskQueue: "holdfast", Relief: relief.Off}, base)
	require.Equal(t, []string{"redo/*=https://app.test/hooks", "*=log:"}, worker.Routes)
	require.Equal(t, 90*time.Minute, worker.RetryBudget)
	require.Equal(t, 5*time.Second, worker.FirstAttemptTimeout)
	require.Equal(t, []int{404, 410}, worker.ParkStatuses)
	require.Equal(t, "a-token-that-is-long-enough", api.OperatorToken.Reveal())
}

func TestLoadReportsEveryProblemAtOnce(t *testing.T) {
	const secret = "hunter2 hunter2 hunter2"
	t.Setenv("HOLDFAST_INBOX", "mysql:"+secret)
	t.Setenv("HOLDFAST_TASK_QUEUE", "")
	t.Setenv("HOLDFAST_LISTEN", "  ")
	t.Setenv("HOLDFAST_MAX_BODY", secret)
	t.Setenv("HOLDFAST_OPERATOR_TOKEN", secret)
	t.Setenv("HOLDFAST_DESTINATION_SECRET", secret)
	t.Setenv("HOLDFAST_RETRY_INITIAL", "10")
	t.Setenv("HOLDFAST_RETRY_MAX_INTERVAL", "")
	t.Setenv("HOLDFAST_PARK_STATUSES", "404,"+secret)
	t.Setenv("HOLDFAST_SWEEP_INTERVAL", "1ms")

	err := load(&Config{}, &ingress.Config{}, &operator.Config{}, &activities.Config{}, &doorbell.Config{})
	require.Error(t, err)
	text := err.Error()
	require.NotContains(t, text, "hunter2")
	require.NotContains(t, text, "envconfig")
	for _, want := range []string{
		"HOLDFAST_INBOX: must be sqlite: and a file, such as sqlite:./data/inbox.db, or postgres:// and a database",
		"HOLDFAST_TASK_QUEUE: is set but empty; give it a value, or remove it to get holdfast",
		"HOLDFAST_LISTEN: is set but empty; give it a value, or remove it to get :8080",
		"HOLDFAST_MAX_BODY: must be a whole number",
		"HOLDFAST_OPERATOR_TOKEN: ",
		"HOLDFAST_ROUTES: ",
		"HOLDFAST_DESTINATION_SECRET: ",
		"HOLDFAST_RETRY_INITIAL: must be a duration, such as 500ms, 30s or 2h",
		"HOLDFAST_RETRY_MAX_INTERVAL: is set but empty",
		"HOLDFAST_PARK_STATUSES: must be a comma-separated list, each item a whole number",
		"HOLDFAST_SWEEP_INTERVAL: ",
	} {
		require.Contains(t, text, "\n  "+want)
	}
	require.Contains(t, text, "11 problems with the settings:\n", "each has one line, and none causes a second")
}

func TestLoadEmptySecretIsAProblem(t *testing.T) {
	t.Setenv("HOLDFAST_OPERATOR_TOKEN", "")
	require.EqualError(t, load(&operator.Config{}), "HOLDFAST_OPERATOR_TOKEN: is set but empty; give it a value, or remove it")
}

func TestLoadReadsFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	t.Setenv("HOLDFAST_OPERATOR_TOKEN_FILE", write("token", "a-token-that-is-long-enough\n"))
	t.Setenv("HOLDFAST_RETRY_BUDGET_FILE", write("budget", "90m"))
	t.Setenv("HOLDFAST_ROUTES_FILE", write("routes", "redo/*=https://app.test/hooks,*=log:\n"))
	var api operator.Config
	var worker activities.Config
	require.NoError(t, load(&api, &worker))
	require.Equal(t, "a-token-that-is-long-enough", api.OperatorToken.Reveal())
	require.Equal(t, 90*time.Minute, worker.RetryBudget)
	require.Equal(t, []string{"redo/*=https://app.test/hooks", "*=log:"}, worker.Routes)

	t.Setenv("HOLDFAST_OPERATOR_TOKEN", "hunter2hunter2")
	t.Setenv("HOLDFAST_DESTINATION_SECRET_FILE", filepath.Join(dir, "none"))
	write("budget", "hunter2")
	err := load(&api, &worker)
	require.EqualError(t, err, `3 problems with the settings:
  HOLDFAST_OPERATOR_TOKEN_FILE: is set, and HOLDFAST_OPERATOR_TOKEN is too: remove one of them
  HOLDFAST_DESTINATION_SECRET_FILE: the file `+dir+`/none cannot be read: there is no such file
  HOLDFAST_RETRY_BUDGET: must be a duration, such as 500ms, 30s or 2h`)
}

func TestLoadIsNotFooledByNamesWithoutThePrefix(t *testing.T) {
	t.Setenv("OPERATOR_TOKEN", "hunter2hunter2hunter2")
	var c operator.Config
	require.NoError(t, load(&c))
	require.Equal(t, providers.Secret(""), c.OperatorToken)
}

func TestAllProblemsTakesListsApart(t *testing.T) {
	t.Parallel()
	require.NoError(t, allProblems(nil, errors.Join(nil, nil), nil))
	one := errors.New("A: is wrong")
	require.EqualError(t, allProblems(nil, one, one), "A: is wrong")
	wrapped := fmt.Errorf("source redo: %w", errors.Join(one, one))
	err := allProblems(
		errors.Join(one, errors.Join(errors.New("B: is wrong"), nil)),
		allProblems(errors.New("C: is wrong"), one),
		wrapped,
	)
	require.EqualError(t, err, "4 problems with the settings:\n  A: is wrong\n  B: is wrong\n  C: is wrong\n  "+wrapped.Error())
}
