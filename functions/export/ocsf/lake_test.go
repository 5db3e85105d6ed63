package ocsf

import (
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/fault"
)

func TestPlace(t *testing.T) {
	const noon = 1772539200000 // 2026-03-03 12:00 UTC
	of := func(class int, time int64, c *Cloud) Event {
		return Event{ClassUID: class, Time: time, Cloud: c, Metadata: Metadata{TenantUID: "contoso"}}
	}
	aws := &Cloud{Provider: "AWS", Region: "eu-west-1", Account: &Account{UID: "111122223333"}}
	own := Lake{Detections: "ext/op-detections/1.0", Incidents: "ext/op-incidents/1.0", Region: "us-east-1", Account: "999999999999"}
	for _, tt := range []struct {
		name  string
		lake  Lake
		event Event
		want  string
	}{
		{"data of AWS is its own account's", own, of(Detection, noon, aws), "ext/op-detections/1.0/region=eu-west-1/accountId=111122223333/eventDay=20260303"},
		{"other data is the source's", own, of(Detection, noon, &Cloud{Provider: "Azure", Region: "westeurope", Account: &Account{UID: "sub"}}), "ext/op-detections/1.0/region=us-east-1/accountId=999999999999/eventDay=20260303"},
		{"a class is a source", own, of(Incident, noon, nil), "ext/op-incidents/1.0/region=us-east-1/accountId=999999999999/eventDay=20260303"},
		{"without settings", Lake{}, of(Incident, noon, nil), "ext/onepane-incidents/region=global/accountId=external_contoso/eventDay=20260303"},
		{"the account elsewhere", Lake{}, of(Detection, noon, &Cloud{Provider: "GCP", Account: &Account{UID: "shop-prod"}}), "ext/onepane-alerts/region=global/accountId=external_shop-prod/eventDay=20260303"},
		{"days are UTC's", Lake{}, of(Incident, noon+12*3600_000-1, nil), "ext/onepane-incidents/region=global/accountId=external_contoso/eventDay=20260303"},
		{"and end", Lake{}, of(Incident, noon+12*3600_000, nil), "ext/onepane-incidents/region=global/accountId=external_contoso/eventDay=20260304"},
		{"no way out", Lake{}, of(Detection, noon, &Cloud{Provider: "AWS", Region: "../..", Account: &Account{UID: "a/b=c%2f"}}), "ext/onepane-alerts/region=.._../accountId=a_b_c_2f/eventDay=20260303"},
	} {
		if got := tt.lake.EventPlace(tt.event); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	for _, source := range []string{DefaultDetections, DefaultIncidents} {
		if name := strings.TrimPrefix(source, "ext/"); len(name) > 20 {
			t.Errorf("Security Lake takes no source called %s", name)
		}
	}
}

// TestLinesOfALake: an object has one class, account, region and day, and all records are in one.
func TestLinesOfALake(t *testing.T) {
	lake := Lake{Region: "eu-west-1"}
	lines := lake.LinePacker(Encoder{})
	var rs []export.Record
	for _, r := range rows(t) {
		data, err := lines.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, export.Record{ID: r.ID, Thing: r.Thing, Kind: r.Kind, Data: data})
	}
	objects, err := lines.Pack(rs)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, o := range objects {
		for _, line := range exporttest.Lines(o.Data) {
			v, err := ReadEvent(export.Record{Data: line})
			if err != nil || !strings.HasPrefix(o.Key, lake.EventPlace(v)+"/") {
				t.Errorf("%s in %s, %v", v.Metadata.UID, o.Key, err)
			}
			n++
		}
	}
	if n != len(rs) || len(objects) < 4 {
		t.Errorf("%d records of %d in %d objects", n, len(rs), len(objects))
	}
	if _, err := lines.Pack([]export.Record{{Data: []byte("{")}}); fault.Of(err) != fault.Invalid {
		t.Errorf("torn JSON: %v", err)
	}
}
