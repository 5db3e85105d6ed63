package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/cmd/internal/wire/route"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/testdata/attacks"
)

// way is how a delivery comes in.
type way string

const (
	byURL  way = "webhook" // alerts of many products, posted to ingest-aws
	byHub  way = "azure"   // Defender for Cloud, Event Hubs, to ingest-azure
	byPush way = "gcp"     // Security Command Center, Pub/Sub, to ingest-gcp
	bySQS  way = "aws"     // GuardDuty, SQS, to ingest-aws
)

// delivery is what is sent at once.
type delivery struct {
	by      way
	records []string
}

// body is the delivery as `onepane replay` reads it, on one line.
func (d delivery) body() string {
	if d.by == byPush {
		return pushed(d.records[0])
	}
	return "[" + strings.Join(d.records, ",") + "]"
}

// input is one tenant's alerts of three clouds in the order in which they arrive: generated attacks in everyday noise
// as many products tell them, between findings of each cloud's own product, on a few dozen machines.
type input struct {
	t       testing.TB
	batch   int  // alerts a delivery
	pushes  bool // Pub/Sub pushes findings one by one
	alerts  []string
	times   []time.Time
	made    int // findings
	seed    uint64
	last    time.Time
	records map[way]string
}

func newInput(t testing.TB, batch int, pushes bool) *input {
	in := &input{t: t, batch: batch, pushes: pushes, last: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), records: map[way]string{
		bySQS:  recorded(t, "guardduty/testdata/instance-outbound-c2.json", false),
		byHub:  recorded(t, "defender/testdata/arm_vm_miner.json", false),
		byPush: recorded(t, "scc/testdata/threats.ndjson", true),
	}}
	return in
}

// recorded is a provider's recorded finding on one line; of NDJSON the first.
func recorded(t testing.TB, name string, first bool) string {
	t.Helper()
	b, err := os.ReadFile("../../ingest/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if first {
		line, _, _ := strings.Cut(string(b), "\n")
		b = []byte(line)
	}
	v := jsontext.Value(b)
	if err := v.Compact(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(v)
}

// take makes deliveries of about n alerts: of ten parts seven are posted, and one comes from each cloud's product.
func (in *input) take(n int) (out []delivery) {
	for n > 0 {
		for _, by := range []way{byURL, byURL, bySQS, byURL, byURL, byHub, byURL, byURL, byPush, byURL} {
			if n <= 0 {
				break
			}
			size := min(in.batch, n)
			n -= size
			switch {
			case by == byPush && in.pushes:
				for range size {
					out = append(out, delivery{byPush, []string{in.finding(byPush)}})
				}
			case by == byURL || by == byPush:
				out = append(out, delivery{byURL, in.generated(size)})
			default:
				d := delivery{by: by}
				for range size {
					d.records = append(d.records, in.finding(by))
				}
				out = append(out, d)
			}
		}
	}
	return out
}

// generated takes alerts of generated scenarios that follow each other in time.
func (in *input) generated(n int) []string {
	for len(in.alerts) < n {
		in.seed++
		s := attacks.Generate(attacks.Options{Seed: in.seed, Noise: attacks.Medium, Tenants: 1})
		shift := in.last.Sub(s.Alerts[0].Alert.Delivered)
		for _, l := range s.Alerts {
			a := l.Alert
			a.Tenant, a.ID = tenant, fmt.Sprintf("s%d-%s", in.seed, a.ID)
			if a.ProviderID != "" {
				a.ProviderID = fmt.Sprintf("s%d-%s", in.seed, a.ProviderID)
			}
			a.Time, a.Delivered = a.Time.Add(shift), a.Delivered.Add(shift)
			in.last = a.Delivered
			raw, err := json.Marshal(a)
			if err != nil {
				in.t.Fatal(err)
			}
			in.alerts, in.times = append(in.alerts, string(raw)), append(in.times, a.Delivered)
		}
	}
	out := in.alerts[:n]
	in.alerts, in.times = in.alerts[n:], in.times[n:]
	return out
}

var stamps = regexp.MustCompile(`"202[56]-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`)

// finding is a recorded finding with an id and a machine of its own, at the moment where the generated alerts are.
func (in *input) finding(by way) string {
	if len(in.times) == 0 {
		in.generated(0)
	}
	in.made++
	n, machine := in.made, in.made*2654435761%40
	at := in.last
	if len(in.times) > 0 {
		at = in.times[0]
	}
	text := stamps.ReplaceAllString(in.records[by], `"`+at.UTC().Format("2006-01-02T15:04:05.000Z")+`"`)
	text = strings.NewReplacer(
		"1ac0ffee000000000000000000000001", fmt.Sprintf("%032x", n*7919+1), "i-0a1b2c3d4e5f60718", fmt.Sprintf("i-%017x", machine),
		"10.0.4.17", fmt.Sprintf("10.1.0.%d", machine), "10-0-4-17", fmt.Sprintf("10-1-0-%d", machine),
		"2516771044312345678_3f0d6c1a-52b7-4e98-8a1c-d07e64b2f915", fmt.Sprintf("%019d_3f0d6c1a-52b7-4e98-8a1c-d07e64b2f915", n),
		"shop-web-01", fmt.Sprintf("shop-web-%02d", machine), "SHOP-WEB-01", fmt.Sprintf("SHOP-WEB-%02d", machine),
		"d41f6e0b-93a8-4c72-a5d0-6b1e8f27c934", fmt.Sprintf("d41f6e0b-93a8-4c72-a5d0-%012x", machine),
		"0a1b2c", fmt.Sprintf("%06x", n), "4520031799277582759", fmt.Sprintf("45200317992775827%02d", machine), `"web-03"`, fmt.Sprintf(`"gce-web-%02d"`, machine),
	).Replace(text)
	if by == bySQS {
		return fmt.Sprintf(`{"version":"0","id":"%032x","detail-type":"GuardDuty Finding","source":"aws.guardduty","account":"111122223333",`+
			`"time":"2026-03-03T00:25:00Z","region":"eu-west-1","resources":[],"detail":%s}`, n, text)
	}
	return text
}

// ids reads deliveries as the functions do: the sender's own id of each alert, and ours.
func ids(t testing.TB, ds []delivery) map[string]string {
	t.Helper()
	all, err := route.All("")
	if err != nil {
		t.Fatal(err)
	}
	functions := map[way]*ingest.Function{}
	for _, fn := range all {
		fn.Tenants = whose{}
		functions[way(fn.Route)] = fn
	}
	out := map[string]string{}
	for _, d := range ds {
		alerts, receipt, err := functions[d.by].Read(ingest.Delivery{Body: []byte(d.body())})
		if err != nil || len(receipt.Rejected)+len(receipt.Ignored) > 0 || len(alerts) != len(d.records) {
			t.Fatalf("%s: %d of %d alerts, %+v, %v", d.by, len(alerts), len(d.records), receipt, err)
		}
		for _, a := range alerts {
			id := a.Extra["sender_id"]
			if id == "" {
				id = a.ReportID
			}
			if _, known := out[id]; !known {
				out[id] = a.ID
			}
		}
	}
	return out
}
