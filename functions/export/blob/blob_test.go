package blob

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/go-json-experiment/json"
	"github.com/parquet-go/parquet-go"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/functions/export/ocsf"
	opparquet "github.com/onepane/onepane/functions/export/parquet"
	"github.com/onepane/onepane/infra/local/azurite"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

var packers = map[string]func() export.Packer{
	"plain":   func() export.Packer { return export.Lines{Write: export.EncodeJSON} },
	"parquet": func() export.Packer { return &opparquet.Packer{Place: ocsf.Lake{}.EventPlace} },
}

// account is an emulated storage account; while it refuses, targets look for a container that is not there.
type account struct {
	client    *azblob.Client
	container string
	pack      func() export.Packer

	mu   sync.Mutex
	down bool
	put  []string // blobs, in the order in which they were written, or found written
}

// containers are those that tests have made: each has its own.
var containers atomic.Int64

func newAccount(t testing.TB, client *azblob.Client, pack func() export.Packer) *account {
	a := &account{client: client, container: "alerts-" + strconv.FormatInt(containers.Add(1), 10), pack: pack}
	if _, err := client.CreateContainer(t.Context(), a.container, nil); err != nil {
		t.Fatal(err)
	}
	return a
}

func connected(t testing.TB) *azblob.Client {
	c, err := Open(azurite.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a *account) target() *Target {
	return &Target{Client: a.client, Container: a.container, Prefix: "/siem", Pack: a.pack(), Now: func() time.Time { return exporttest.Begin }}
}

func (a *account) Target() export.Target { return noting{a.target(), a} }

func (a *account) Refuse(down bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = down
}

// noting notes which blobs a batch became: the service's clock counts seconds, so that a listing has lost their order.
type noting struct {
	*Target
	a *account
}

func (n noting) Send(ctx context.Context, rs []export.Record) (int, error) {
	n.a.mu.Lock()
	defer n.a.mu.Unlock()
	if n.Container = n.a.container; n.a.down {
		n.Container = "none"
	}
	taken, err := n.Target.Send(ctx, rs)
	if err != nil {
		return taken, err
	}
	objects, err := n.a.pack().Pack(rs)
	for _, o := range objects {
		n.a.put = append(n.a.put, "siem/"+o.Key)
	}
	return taken, err
}

// Taken reads the blobs.
func (a *account) Taken(t testing.TB) (ids []string) {
	for _, name := range a.put {
		ids = append(ids, idsOf(t, name, a.read(t, name))...)
	}
	return ids
}

func (a *account) read(t testing.TB, name string) []byte {
	res, err := a.client.DownloadStream(t.Context(), a.container, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (a *account) names(t testing.TB) (names []string) {
	for pages := a.client.NewListBlobsFlatPager(a.container, nil); pages.More(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Segment.BlobItems {
			names = append(names, *b.Name)
		}
	}
	return names
}

func idsOf(t testing.TB, name string, data []byte) (ids []string) {
	type event struct {
		Metadata struct {
			UID string `parquet:"uid"`
		} `parquet:"metadata"`
	}
	if strings.HasSuffix(name, ".parquet") {
		events, err := parquet.Read[event](bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			ids = append(ids, e.Metadata.UID)
		}
		return ids
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
	return ids
}

func TestPromises(t *testing.T) {
	client := connected(t)
	for format, pack := range packers {
		t.Run(format, func(t *testing.T) {
			exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return newAccount(t, client, pack) })
		})
	}
}

func record(n int, size int) export.Record {
	data := []byte(`{"text":"` + strings.Repeat("x", size) + `"}`)
	return export.Record{ID: "r-" + string(rune('a'+n)), Kind: store.AlertChanged, Updated: exporttest.Begin, Data: data}
}

// TestABlobIsNeverWrittenAgain: what is there under a name stays, and counts as taken.
func TestABlobIsNeverWrittenAgain(t *testing.T) {
	a := newAccount(t, connected(t), packers["plain"])
	first := record(1, 10)
	other := record(1, 20) // the same state, written by another version
	for _, r := range []export.Record{first, other} {
		if n, err := a.target().Send(t.Context(), []export.Record{r}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	names := a.names(t)
	if len(names) != 1 || !strings.HasPrefix(names[0], "siem/20260303/") {
		t.Fatalf("blobs %v", names)
	}
	if got := a.read(t, names[0]); !bytes.Equal(bytes.TrimSpace(got), first.Data) {
		t.Errorf("the blob has %d bytes, was written with %d", len(got), len(first.Data))
	}
}

// TestTheLargestBatch is one write: as much as Limits let in.
func TestTheLargestBatch(t *testing.T) {
	a := newAccount(t, connected(t), packers["plain"])
	size := a.target().Limits().Bytes
	if n, err := a.target().Send(t.Context(), []export.Record{record(1, size/2), record(2, size/2)}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if names := a.names(t); len(names) != 1 || len(a.read(t, names[0])) < size {
		t.Errorf("%v", names)
	}
}

func TestRefusals(t *testing.T) {
	a := newAccount(t, connected(t), packers["plain"])
	target := a.target()
	target.Container = "none"
	if _, err := target.Send(t.Context(), []export.Record{record(1, 1)}); fault.Of(err) != fault.Unavailable || strings.Contains(err.Error(), "http") {
		t.Errorf("no container: %v", err)
	}
	stranger, err := Open("DefaultEndpointsProtocol=http;AccountName=onepane;AccountKey=d3Jvbmc=;BlobEndpoint=" + a.client.URL())
	if err != nil {
		t.Fatal(err)
	}
	target.Client, target.Container = stranger, a.container
	if _, err := target.Send(t.Context(), []export.Record{record(1, 1)}); fault.Of(err) != fault.Denied {
		t.Errorf("a wrong key: %v", err)
	}
	if target.Client, err = Open("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=d3Jvbmc=;BlobEndpoint=http://127.0.0.1:1/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := target.Send(t.Context(), []export.Record{record(1, 1)}); fault.Of(err) != fault.Unavailable || strings.Contains(err.Error(), "127") {
		t.Errorf("nobody there: %v", err)
	}
}

func BenchmarkExport(b *testing.B) {
	for format, pack := range packers {
		b.Run(format, func(b *testing.B) { exporttest.Bench(b, newAccount(b, connected(b), pack)) })
	}
}
