// Package coldstart measures what a producer's start costs over that of the least function on the same platform, which
// is in testdata: its size, and the time until it asks for work.
//
//	build both ─▶ sizes ─────────────────────────────────────────▶ TestSizes: at most 1.5×
//	start both by turns ─▶ first request to the Runtime API ─────▶ BenchmarkColdStart: x-of-hello, its median
//	                    └▶ first request answered on PORT
package coldstart

import "testing"

// A producer is one binary and the least one of its platform.
type producer struct {
	name  string // of the folder in functions/cmd
	hello string // of the folder in testdata
	env   []string
	start func(testing.TB) *platform
}

var common = []string{
	"ONEPANE_TENANT=contoso", "ONEPANE_BUS_NAMESPACE=contoso.servicebus.windows.net", "ONEPANE_BUS_QUEUE=alerts", "ONEPANE_QUARANTINE_QUEUE=quarantine",
	"ONEPANE_CLAIM_CONTAINER=https://contoso.blob.core.windows.net/claims", "ONEPANE_LOG_JSON=true",
	"ONEPANE_AZURE_TENANT_ID=0b7c9f0e-1111-4222-8333-444455556666", "ONEPANE_AZURE_CLIENT_ID=5a1d2c3b-aaaa-4bbb-8ccc-ddddeeeeffff",
}

var producers = []producer{
	{"ingest-aws", "hello-aws", append([]string{"AWS_REGION=eu-west-1"}, common...), runtimeAPI},
	{"ingest-gcp", "hello-gcp", append([]string{"ONEPANE_PUSH_AUDIENCE=https://ingest.example", "ONEPANE_PUSH_ACCOUNT=push@example.iam.gserviceaccount.com",
		"ONEPANE_BIND=127.0.0.1"}, common...), port},
}

// maxSize is how large a producer's binary may be, over hello's.
const maxSize = 1.5

func TestSizes(t *testing.T) {
	for _, p := range producers {
		ours, hello := size(t, binary(t, "..", p.name)), size(t, binary(t, "testdata", p.hello))
		ratio := float64(ours) / float64(hello)
		t.Logf("%s: %.2f MB, %.3f of %s, %.2f MB", p.name, float64(ours)/1e6, ratio, p.hello, float64(hello)/1e6)
		if ratio > maxSize {
			t.Errorf("%s has %.3f times the size of %s, at most %.2f is allowed", p.name, ratio, p.hello, maxSize)
		}
	}
}

// pairs is how many starts of either make a median.
const pairs = 40

// BenchmarkColdStart starts each producer and its hello by turns. The page cache is warm: where the file must be
// fetched first, its size counts as well.
func BenchmarkColdStart(b *testing.B) {
	for _, p := range producers {
		b.Run(p.name, func(b *testing.B) {
			ours, hello := binary(b, "..", p.name), binary(b, "testdata", p.hello)
			at := p.start(b)
			var times, cpu [2]sample
			for b.Loop() {
				for i := range pairs {
					for _, who := range [][]int{{0, 1}, {1, 0}}[i%2] { // neither always follows the other
						took, used := at.time(b, []string{ours, hello}[who], p.env)
						times[who], cpu[who] = append(times[who], took), append(cpu[who], used)
					}
				}
			}
			b.ReportMetric(0, "ns/op") // it says nothing
			b.ReportMetric(times[0].median().Seconds()*1e3, "ms")
			b.ReportMetric(times[1].median().Seconds()*1e3, "hello-ms")
			b.ReportMetric(float64(times[0].median())/float64(times[1].median()), "x-of-hello")
			b.ReportMetric(float64(cpu[0].median())/float64(cpu[1].median()), "x-cpu")
			b.ReportMetric(float64(size(b, ours))/float64(size(b, hello)), "x-size")
		})
	}
}
