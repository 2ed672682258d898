package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

// maxHealthAnswer is far more than a process says about itself.
const maxHealthAnswer = 1 << 16

// healthCommand asks a running process how it is. A container without a shell or
// curl has no other way to.
func healthCommand(g *globals) *cobra.Command {
	o := &operatorOptions{globals: g}
	var ready bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running process whether it is alive, or ready for work",
		Long: `Asks a running process's operator listener whether the process is alive, with
--ready whether it can do its work: an ingress needs its inbox, a worker also to
have found Temporal. The exit status is 0 if so and 1 if not, so that it serves as
the health check of a container. It needs no token.`,
		Example: `  holdfast health
  holdfast health --ready --operator-url http://10.0.0.7:8081`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			path, well := "/healthz", "alive"
			if ready {
				path, well = "/readyz", "ready"
			}
			if err := client.health(ctx, path); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), well)
			return nil
		},
	}
	cmd.Flags().StringVar(&o.url, "operator-url", "", "`URL` of the process's operator listener (default from HOLDFAST_OPERATOR_LISTEN, else http://127.0.0.1:8081)")
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it is ready for work")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "`time` to wait for the answer")
	return cmd
}

// health returns nil if the process says that it is well, else why it is not.
func (c *operatorClient) health(ctx context.Context, path string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return fmt.Errorf("ask the operator listener: %w", err)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return unreachable(c.base, "--operator-url or HOLDFAST_OPERATOR_LISTEN", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxHealthAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of the operator listener at %s: %w", c.base, err)
	}
	var told struct {
		Status string `json:"status"`
		operator.ReadyJSON
	}
	if json.Unmarshal(body, &told) != nil {
		return c.stranger(answer)
	}
	switch {
	case answer.StatusCode == http.StatusOK && (told.Ready || told.Status == "ok"):
		return nil
	case len(told.Checks) > 0:
		return errors.New("not ready: " + failedChecks(told.Checks))
	default:
		return c.stranger(answer)
	}
}

// failedChecks lists what is not ok, in a fixed order.
func failedChecks(checks map[string]string) string {
	var failed []string
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if checks[name] != "ok" {
			failed = append(failed, clean(name)+": "+clean(checks[name]))
		}
	}
	return strings.Join(failed, "; ")
}
