package guardduty

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest/ingesttest"
)

func TestConformance(t *testing.T) { ingesttest.Run(t, Provider{}, "testdata") }

func FuzzNormalize(f *testing.F) { ingesttest.Fuzz(f, Provider{}, "testdata") }
