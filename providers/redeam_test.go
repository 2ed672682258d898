package providers_test

import (
	"testing"

	"github.com/holdfast-project/holdfast/providers/providertest"
)

// Not parallel: the suite configures sources through the environment.
func TestRedeam(t *testing.T) { providertest.Run(t, "redeam") }
