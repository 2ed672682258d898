package providers_test

import (
	"testing"

	"github.com/holdfast-project/holdfast/providers/providertest"
)

// Not parallel: the suite configures sources through the environment.
func TestRedox(t *testing.T) { providertest.Run(t, "redox") }
