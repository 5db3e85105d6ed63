package hosttest_test

import (
	"testing"

	"github.com/onepane/onepane/functions/host/hosttest"
)

func TestConformance(t *testing.T) {
	hosttest.Run(t, hosttest.Standalone)
}
