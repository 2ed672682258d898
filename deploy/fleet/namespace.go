package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holdfast-project/holdfast/workflows"
)

// namespaceRetention is how long Temporal keeps what is over: the inbox remembers
// the events for longer, by itself.
const namespaceRetention = 3 * 24 * time.Hour

// prepareNamespace makes the namespace and its search attributes, unless they are
// there, and waits until a workflow that sets them could start.
func (f *Fleet) prepareNamespace(ctx context.Context) error {
	c, err := client.NewLazyClient(client.Options{HostPort: f.TemporalAddress, Namespace: f.namespace(), Logger: quiet{}})
	if err != nil {
		return err
	}
	defer c.Close()
	return insist(ctx, "prepare the Temporal namespace "+f.namespace(), func(ctx context.Context) error {
		_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace: f.namespace(), WorkflowExecutionRetentionPeriod: durationpb.New(namespaceRetention),
		})
		var there *serviceerror.NamespaceAlreadyExists
		if err != nil && !errors.As(err, &there) {
			return err
		}
		if err := f.addSearchAttributes(ctx, c); err != nil {
			return err
		}
		// It answers only when the services that hold workflows have the namespace too.
		_, err = c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Query: workflows.SearchAttributeSource + " = 'none' OR " + workflows.SearchAttributeState + " = 'none'",
		})
		return err
	})
}

func (f *Fleet) addSearchAttributes(ctx context.Context, c client.Client) error {
	list, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: f.namespace()})
	if err != nil {
		return err
	}
	missing := map[string]enumspb.IndexedValueType{}
	for _, name := range []string{workflows.SearchAttributeSource, workflows.SearchAttributeState} {
		if _, there := list.CustomAttributes[name]; !there {
			missing[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: f.namespace(), SearchAttributes: missing,
	})
	return err
}

// namespace is what all processes are told by deploy/settings/common.env.
func (f *Fleet) namespace() string {
	if name := f.common["TEMPORAL_NAMESPACE"]; name != "" {
		return name
	}
	return client.DefaultNamespace
}

// insist repeats what may fail while a member is still starting.
func insist(ctx context.Context, what string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	for {
		err := do(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		case <-time.After(readyLook):
		}
	}
}
