package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	temporalenv "go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/holdfast-project/holdfast/workflows"
)

// temporalOptions reads TEMPORAL_* the way the SDK and the CLI do.
func temporalOptions() (client.Options, error) {
	options, err := temporalenv.LoadDefaultClientOptions()
	if err != nil {
		return client.Options{}, fmt.Errorf("TEMPORAL_*: %w", err)
	}
	return options, nil
}

// dialTemporal returns a client that connects when it is first used: the ingress
// accepts while Temporal is down.
func dialTemporal(options client.Options, logger *slog.Logger) (client.Client, error) {
	// A ring and a drain's result are some hundred bytes, which cost more to compress on
	// both sides than they save.
	options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	options.Logger = sdkLogger{log.NewStructuredLogger(logger.With("component", "temporal"))}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("TEMPORAL_*: %w", err)
	}
	return c, nil
}

// sdkLogger keeps two things that the SDK says out of the log: that an activity
// failed, because our own line says it with the event, and that a workflow task
// took long, because a drain is meant to.
type sdkLogger struct{ log.Logger }

const slowWorkflowTask = "[TMPRL1104]"

func (sdkLogger) Debug(string, ...any) {}
func (sdkLogger) Info(string, ...any)  {}
func (l sdkLogger) Warn(message string, keyvals ...any) {
	if !strings.HasPrefix(message, slowWorkflowTask) {
		l.Logger.Warn(message, keyvals...)
	}
}

func (l sdkLogger) Error(message string, keyvals ...any) {
	if message != "Activity error." {
		l.Logger.Error(message, keyvals...)
	}
}

// missingAttributesError says which search attributes the namespace lacks.
type missingAttributesError struct {
	namespace string
	names     []string
}

func (e *missingAttributesError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the Temporal namespace %s has no search attribute %s; create it with:", e.namespace, strings.Join(e.names, " and "))
	for _, name := range e.names {
		fmt.Fprintf(&b, "\n  temporal operator search-attribute create --namespace %s --name %s --type Keyword", e.namespace, name)
	}
	return b.String()
}

// checkAttributes returns a missingAttributesError if workflows could not set
// their search attributes.
func checkAttributes(ctx context.Context, c client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	list, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	var denied *serviceerror.PermissionDenied
	if errors.As(err, &denied) {
		return nil // Temporal Cloud lets only administrators look; the first run will tell
	}
	if err != nil {
		return fmt.Errorf("list the search attributes: %w", err)
	}
	var missing []string
	for _, name := range []string{workflows.SearchAttributeSource, workflows.SearchAttributeState} {
		if list.CustomAttributes[name] != enumspb.INDEXED_VALUE_TYPE_KEYWORD {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return &missingAttributesError{namespace: namespace, names: missing}
	}
	return nil
}
