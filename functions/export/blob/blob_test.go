package blob

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/infra/local/azurite"
)

// account is an emulated storage account; while it refuses, targets look for a container that is not there.
type account struct {
	client *azblob.Client
	target *Target
}

func newAccount(t testing.TB) *account {
	c, err := Open(azurite.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateContainer(t.Context(), "alerts", nil); err != nil {
		t.Fatal(err)
	}
	return &account{c, &Target{Client: c, Container: "alerts", Prefix: "siem", Write: export.Plain, Now: func() time.Time { return exporttest.Begin }}}
}

func (a *account) Target() export.Target { return a.target }

func (a *account) Refuse(down bool) {
	if a.target.Container = "alerts"; down {
		a.target.Container = "none"
	}
}

// Taken reads all blobs. Their order is lost: the service's clock counts seconds.
func (a *account) Taken(t testing.TB) []string {
	var blobs []string
	for pages := a.client.NewListBlobsFlatPager("alerts", nil); pages.More(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Segment.BlobItems {
			blobs = append(blobs, *b.Name)
		}
	}
	var ids []string
	for _, b := range blobs {
		res, err := a.client.DownloadStream(t.Context(), "alerts", b, nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range exporttest.Lines(data) {
			var row struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, row.ID)
		}
	}
	return ids
}

func TestEverythingArrives(t *testing.T) {
	a := newAccount(t)
	w := exporttest.NewWorld(t)
	w.Report(0, 40)
	if err := w.Function(a.target, nil).Drain(t.Context(), exporttest.Name); err != nil {
		t.Fatal(err)
	}
	got := a.Taken(t)
	want := w.States(t, a.target)
	for thing, id := range want {
		if !slices.Contains(got, id) {
			t.Errorf("%s is missing", thing)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d records arrived of %d", len(got), len(want))
	}
	a.Refuse(true)
	w.Report(40, 41)
	if err := w.Function(a.target, nil).Drain(t.Context(), exporttest.Name); err == nil {
		t.Error("a container that is not there takes everything")
	}
	a.Refuse(false)
	if err := w.Function(a.target, nil).Drain(t.Context(), exporttest.Name); err != nil || len(a.Taken(t)) <= len(got) {
		t.Errorf("%v, %d records after the container came back", err, len(a.Taken(t)))
	}
}

func BenchmarkExport(b *testing.B) { exporttest.Bench(b, newAccount(b)) }
