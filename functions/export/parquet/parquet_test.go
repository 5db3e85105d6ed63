package parquet

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/parquet-go/parquet-go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/functions/export/ocsf"
	"github.com/onepane/onepane/infra/local/hyparquet"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

func packer(version string) *Packer {
	return &Packer{Encoder: ocsf.Encoder{Version: version, Product: "1.2.3", PortalURL: "https://onepane.example"}, Place: ocsf.Lake{}.EventPlace}
}

// rows are those of a small world, and alerts and incidents with everything, and with next to nothing.
func rows(t testing.TB) []export.Row {
	w := exporttest.NewWorld(t)
	w.Report(0, 40)
	out := w.Rows(t)
	a := exporttest.Alert(1)
	a.Recommendation, a.NativeSeverity, a.Count = "Rotate the key.", "8.9", 1<<40
	for _, k := range []entity.Kind{entity.Host, entity.IP, entity.User, entity.Resource, entity.FileHash, entity.File, entity.Process, entity.URL} {
		a.Evidence = append(a.Evidence, alert.Evidence{Entity: entity.Entity{Kind: k, Value: "“value”\n\x00" + string(k)}, Role: alert.Attacker})
	}
	work := incident.Work{Classification: "truePositive", Determination: "malware", AssignedTo: "ana@example.com", Comments: []incident.Comment{{Text: "seen"}}}
	at := exporttest.Begin
	for _, m := range []incident.AlertRecord{
		{Alert: a, Status: alert.StatusResolved, Work: work, Created: at, Updated: at.Add(time.Hour)},
		{Alert: exporttest.Alert(1), Created: at.Add(-2 * time.Hour), Updated: at}, // older than the one before, in the same place
		{Alert: alert.Alert{ID: "bare", Tenant: "contoso", Class: alert.Exposure}, Created: at.Add(-time.Hour), Updated: at},
	} {
		r, err := export.OfAlert("contoso", m)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	r, err := export.OfIncident("contoso", incident.Incident{ID: "10001", Name: "x", Status: incident.Redirected, RedirectTo: "20001", Created: at, Updated: at})
	if err != nil {
		t.Fatal(err)
	}
	return append(out, r)
}

func records(t testing.TB, p export.Packer, rows []export.Row) (out []export.Record) {
	for _, r := range rows {
		data, err := p.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, export.Record{ID: r.ID, Kind: r.Kind, Thing: r.Thing, Tenant: r.Tenant, Created: r.Created, Updated: r.Updated, Data: data})
	}
	return out
}

func pack(t testing.TB, p export.Packer, rs []export.Record) []export.Object {
	objects, err := p.Pack(rs)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func read(t testing.TB, objects []export.Object) []hyparquet.File {
	var files [][]byte
	for _, o := range objects {
		files = append(files, o.Data)
	}
	return hyparquet.Read(t, files...)
}

// TestAnotherReaderFindsTheJSONForm compares, row for row, what an independent reader finds in the files with the JSON
// form.
func TestAnotherReaderFindsTheJSONForm(t *testing.T) {
	p := packer("")
	want := map[string]string{}
	rs := records(t, p, rows(t))
	for _, r := range rs {
		want[r.ID] = canonical(t, r.Data)
	}
	objects := pack(t, p, rs)
	for n, f := range read(t, objects) {
		o := objects[n]
		if len(f.Rows) != o.Records || len(f.Groups) != 1 {
			t.Errorf("%s: %d rows of %d in %d groups", o.Key, len(f.Rows), o.Records, len(f.Groups))
		}
		last := int64(0)
		for _, row := range f.Rows {
			text := unmapped(t, row)
			var v ocsf.Event
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			if text != want[v.Metadata.UID] {
				t.Errorf("%s\nread %s\nwant %s", o.Key, text, want[v.Metadata.UID])
			}
			delete(want, v.Metadata.UID)
			if v.Time < last {
				t.Errorf("%s: not by time", o.Key)
			}
			last = v.Time
			if !strings.HasPrefix(o.Key, ocsf.Lake{}.EventPlace(v)+"/") {
				t.Errorf("%s is in %s", v.Metadata.UID, o.Key)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("%d records are in no file", len(want))
	}
}

// unmapped is a row as the JSON form has it: without empty lists, and with the JSON that is in the column unmapped.
func unmapped(t *testing.T, row jsontext.Value) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(row, &m); err != nil {
		t.Fatal(err)
	}
	if text, ok := m["unmapped"].(string); ok {
		m["unmapped"] = jsontext.Value(text)
	}
	data, err := json.Marshal(withoutEmpty(m))
	if err != nil {
		t.Fatal(err)
	}
	return canonical(t, data)
}

func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if list, ok := e.([]any); ok && len(list) == 0 {
				delete(v, k)
				continue
			}
			v[k] = withoutEmpty(e)
		}
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	}
	return v
}

func canonical(t *testing.T, data []byte) string {
	t.Helper()
	v := jsontext.Value(slices.Clone(data))
	if err := v.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	return string(v)
}

// TestFooter holds what a file says of itself against what Security Lake asks for.
func TestFooter(t *testing.T) {
	p := packer("")
	for _, f := range read(t, pack(t, p, records(t, p, rows(t)))) {
		types := map[string]string{}
		for _, e := range f.Schema {
			types[e.Name] = strings.Trim(e.Type+" "+e.Repetition+" "+e.Converted, " ")
		}
		for name, want := range map[string]string{
			"time": "INT64 REQUIRED INT_64", "class_uid": "INT32 REQUIRED INT_32", "unmapped": "BYTE_ARRAY OPTIONAL UTF8", "metadata": "REQUIRED",
			"observables": "REQUIRED LIST", "logged_time": "INT64 OPTIONAL INT_64",
		} {
			if types[name] != want {
				t.Errorf("%s is %q, want %q", name, types[name], want)
			}
		}
		_, detection := types["finding_info"]
		_, incidents := types["finding_info_list"]
		if _, alerts := types["is_alert"]; alerts != detection || detection == incidents {
			t.Errorf("columns of both classes: %v", types)
		}
		for _, g := range f.Groups {
			for _, c := range g.Columns {
				if c.Meta.Codec != "ZSTD" {
					t.Errorf("%v is %s", c.Meta.Path, c.Meta.Codec)
				}
			}
			if len(g.Sorting) != 1 || g.Sorting[0].Descending || strings.Join(g.Columns[g.Sorting[0].Column].Meta.Path, ".") != "time" {
				t.Errorf("sorted by %+v", g.Sorting)
			}
		}
	}
}

// TestSchemaNeverChanges: two files of a class have the same columns, however little is in one.
func TestSchemaNeverChanges(t *testing.T) {
	schemas := map[int]string{}
	for _, r := range rows(t) {
		p := packer("")
		for _, o := range pack(t, p, records(t, p, []export.Row{r})) {
			f, err := parquet.OpenFile(bytes.NewReader(o.Data), int64(len(o.Data)))
			if err != nil {
				t.Fatal(err)
			}
			class := ocsf.Detection
			if r.Incident != nil {
				class = ocsf.Incident
			}
			if have := f.Schema().String(); schemas[class] == "" {
				schemas[class] = have
			} else if schemas[class] != have {
				t.Errorf("%s: %s", r.Thing, have)
			}
		}
	}
}

// TestTheSameRecordsAreTheSameFiles: whatever their order, and whatever the packer wrote before.
func TestTheSameRecordsAreTheSameFiles(t *testing.T) {
	p := packer("")
	rs := records(t, p, rows(t))
	first := pack(t, p, rs)
	again := pack(t, p, rs)
	slices.Reverse(rs)
	turned := pack(t, p, rs)
	for i, o := range first {
		if again[i].Key != o.Key || !bytes.Equal(again[i].Data, o.Data) {
			t.Errorf("%s differs the second time", o.Key)
		}
		if !slices.ContainsFunc(turned, func(t export.Object) bool { return t.Key == o.Key }) {
			t.Errorf("%s has another key in another order", o.Key)
		}
	}
	if _, err := p.Pack([]export.Record{{Data: []byte("{")}}); err == nil {
		t.Error("torn JSON becomes a file")
	}
}

// TestPagesAndGroupsAreBounded writes as much as a batch may have, as few and as many records.
func TestPagesAndGroupsAreBounded(t *testing.T) {
	p := packer("")
	for _, each := range []int{4 << 10, recordBytes - 8<<10} {
		var rs []export.Record
		for n, left := 0, batchBytes; left > 0; n++ {
			a := exporttest.Alert(n*3 + 1)
			a.Account = alert.Account{}
			a.Description = strings.Repeat(string(rune('a'+n%26)), each)
			r, err := export.OfAlert("contoso", incident.AlertRecord{Alert: a, Created: exporttest.Begin, Updated: exporttest.Begin})
			if err != nil {
				t.Fatal(err)
			}
			rs = append(rs, records(t, p, []export.Row{r})...)
			left -= len(rs[n].Data)
		}
		for _, o := range pack(t, p, rs) {
			f, err := parquet.OpenFile(bytes.NewReader(o.Data), int64(len(o.Data)))
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range f.RowGroups() {
				for _, c := range g.ColumnChunks() {
					pages := c.Pages()
					for page, err := pages.ReadPage(); err == nil; page, err = pages.ReadPage() {
						if page.Size() > 1<<20 {
							t.Errorf("a page of column %d has %d bytes", c.Column(), page.Size())
						}
						parquet.Release(page)
					}
					_ = pages.Close()
				}
			}
			for _, g := range f.Metadata().RowGroups {
				if g.TotalByteSize > 256<<20 {
					t.Errorf("a row group of %d bytes", g.TotalByteSize)
				}
			}
		}
	}
}

// TestSchemas validates what is read back against the published schemas; see the test of that name in package ocsf.
func TestSchemas(t *testing.T) {
	dir := os.Getenv("ONEPANE_OCSF_SCHEMAS")
	if dir == "" {
		t.Skip("ONEPANE_OCSF_SCHEMAS names no directory of OCSF's JSON schemas; the other tests hold files against the JSON form")
	}
	for _, version := range []string{ocsf.V15, ocsf.V16, ocsf.V18} {
		schemas := map[string]*jsonschema.Schema{}
		for _, name := range []string{"detection", "incident"} {
			s, err := jsonschema.NewCompiler().Compile(dir + "/" + name + "-finding-" + version + ".schema.json")
			if err != nil {
				t.Fatal(err)
			}
			schemas[name] = s
		}
		p := packer(version)
		all := rows(t)
		all = slices.DeleteFunc(all, func(r export.Row) bool { return r.Thing == "bare" }) // what no provider sends
		objects := pack(t, p, records(t, p, all))
		for n, f := range read(t, objects) {
			schema := schemas["detection"]
			if strings.HasPrefix(objects[n].Key, ocsf.DefaultIncidents) {
				schema = schemas["incident"]
			}
			for _, row := range f.Rows {
				v, err := jsonschema.UnmarshalJSON(strings.NewReader(unmapped(t, row)))
				if err != nil {
					t.Fatal(err)
				}
				if err := schema.Validate(v); err != nil {
					t.Fatalf("%s: %v\n%s", version, err, row)
				}
			}
		}
	}
}

// FuzzPack: whatever can be read as an event of a class is one row, which is read back as it is.
func FuzzPack(f *testing.F) {
	for _, r := range records(f, packer(""), rows(f)[:3]) {
		f.Add(r.Data)
	}
	f.Add([]byte(`{"class_uid":2004,"evidences":[{},{"file":{"hashes":[]}},{"file":{"hashes":[{},{"value":"x"}]}}],"is_alert":false}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := export.Record{ID: "x", Data: data}
		want, err := ocsf.ReadEvent(r)
		if err != nil {
			return
		}
		objects, err := packer("").Pack([]export.Record{r})
		if known := want.ClassUID == ocsf.Detection || want.ClassUID == ocsf.Incident; !known && fault.Of(err) == fault.Invalid {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		type row struct {
			Time      int64   `parquet:"time"`
			Message   *string `parquet:"message"`
			Evidences []struct {
				File *struct {
					Hashes []struct {
						Value string `parquet:"value"`
					} `parquet:"hashes,list"`
				} `parquet:"file"`
			} `parquet:"evidences,list"`
		}
		got, err := parquet.Read[row](bytes.NewReader(objects[0].Data), int64(len(objects[0].Data)))
		if err != nil || len(got) != 1 || got[0].Time != want.Time || (got[0].Message == nil) != (want.Message == "") {
			t.Fatalf("%s: %+v, %v", data, got, err)
		}
		if want.ClassUID == ocsf.Incident { // whose columns these are not
			return
		}
		if len(got[0].Evidences) != len(want.Evidences) {
			t.Fatalf("%d evidences of %d", len(got[0].Evidences), len(want.Evidences))
		}
		for n, e := range want.Evidences {
			if have := got[0].Evidences[n].File; (have == nil) != (e.File == nil) || have != nil && len(have.Hashes) != len(e.File.Hashes) {
				t.Fatalf("file %+v of %+v", have, e.File)
			}
		}
	})
}

func BenchmarkPack(b *testing.B) {
	w := exporttest.NewWorld(b)
	for from := 0; from < 2000; from += 100 {
		w.Report(from, from+100)
	}
	p := packer("")
	rs := records(b, p, w.Rows(b))
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		size := 0
		for _, o := range pack(b, p, rs) {
			size += len(o.Data)
		}
		n += len(rs)
		b.ReportMetric(float64(size)/float64(len(rs)), "B/record")
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
