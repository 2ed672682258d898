package activities_test

import (
	"os"
	"testing"

	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

func TestMain(m *testing.M) { os.Exit(temporaltest.Main(m)) }
