package ingress_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if runOutpost() {
		return
	}
	goleak.VerifyTestMain(m)
}
