package doorbell_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-project/holdfast/workflows/temporaltest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(runner(func() int { return temporaltest.Main(m) }))
}

type runner func() int

func (r runner) Run() int { return r() }
