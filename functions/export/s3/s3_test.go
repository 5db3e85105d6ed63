package s3

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/go-json-experiment/json"
	"github.com/parquet-go/parquet-go"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/functions/export/ocsf"
	opparquet "github.com/onepane/onepane/functions/export/parquet"
	"github.com/onepane/onepane/infra/local/s3rver"
)

// store is a bucket somewhere, and the way to it, which notes what was written.
type store struct {
	t      testing.TB
	client *awss3.Client
	pack   func() export.Packer
	down   atomic.Bool

	mu  sync.Mutex
	put []string // keys, in order
}

func open(t testing.TB, endpoint, id, secret string, pack func() export.Packer) *store {
	s := &store{t: t, pack: pack}
	alone(t)
	t.Setenv("AWS_ACCESS_KEY_ID", id)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	c, err := Open(t.Context(), Settings{Region: region, Endpoint: endpoint, HTTP: s})
	if err != nil {
		t.Fatal(err)
	}
	s.client = c
	return s
}

// alone keeps the machine's own settings out.
func alone(t testing.TB) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// Do implements aws.HTTPClient.
func (s *store) Do(r *http.Request) (*http.Response, error) {
	if s.down.Load() {
		body := "<Error><Code>SlowDown</Code></Error>"
		return &http.Response{StatusCode: 503, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodPut && (res.StatusCode == http.StatusOK || res.StatusCode == http.StatusPreconditionFailed) {
		s.mu.Lock()
		s.put = append(s.put, strings.TrimPrefix(r.URL.Path, "/"+bucket+"/"))
		s.mu.Unlock()
	}
	return res, err
}

func (s *store) Target() export.Target {
	return &Target{Client: s.client, Bucket: bucket, Pack: s.pack(), Now: func() time.Time { return exporttest.Begin }}
}

func (s *store) Refuse(down bool) { s.down.Store(down) }

// Taken reads what was written, in that order.
func (s *store) Taken(t testing.TB) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.put {
		res, err := s.client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, idsOf(t, key, data)...)
	}
	return ids
}

func idsOf(t testing.TB, key string, data []byte) (ids []string) {
	type event struct {
		ID       string `json:"id" parquet:"-"`
		Metadata struct {
			UID string `json:"uid" parquet:"uid"`
		} `json:"metadata" parquet:"metadata"`
	}
	var events []event
	if strings.HasSuffix(key, ".parquet") {
		var err error
		if events, err = parquet.Read[event](bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range exporttest.Lines(data) {
		if strings.HasSuffix(key, ".ndjson") {
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
	}
	for _, e := range events {
		ids = append(ids, e.ID+e.Metadata.UID) // one of the two is empty
	}
	return ids
}

var packers = map[string]func() export.Packer{
	"plain":   func() export.Packer { return export.Lines{Write: export.EncodeJSON} },
	"ocsf":    func() export.Packer { return ocsf.Lake{Region: region}.LinePacker(ocsf.Encoder{}) },
	"parquet": func() export.Packer { return &opparquet.Packer{Place: ocsf.Lake{Region: region}.EventPlace} },
}

func TestPromises(t *testing.T) {
	for format, pack := range packers {
		t.Run(format, func(t *testing.T) {
			exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return open(t, newStandIn(t).URL, keyID, secret, pack) })
		})
	}
}

// TestPromisesToAnotherServer are those promises to a server by others, which checks signatures and ignores conditions.
func TestPromisesToAnotherServer(t *testing.T) {
	for format, pack := range packers {
		t.Run(format, func(t *testing.T) {
			exporttest.Run(t, func(t testing.TB) exporttest.Receiver {
				return open(t, s3rver.Start(t, bucket), s3rver.ID, s3rver.Secret, pack)
			})
		})
	}
}

// batch is one record of each kind.
func batch(t testing.TB, target export.Target) []export.Record {
	w := exporttest.NewWorld(t)
	w.Report(0, 6)
	var out []export.Record
	for _, r := range w.Rows(t) {
		data, err := target.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, export.Record{ID: r.ID, Kind: r.Kind, Thing: r.Thing, Tenant: r.Tenant, Created: r.Created, Updated: r.Updated, Data: data})
	}
	return out
}

func TestABatchThatIsSentTwiceIsThereOnce(t *testing.T) {
	for format, pack := range packers {
		srv := newStandIn(t)
		s := open(t, srv.URL, keyID, secret, pack)
		target := s.Target()
		rs := batch(t, target)
		for range 2 {
			if n, err := target.Send(t.Context(), rs); n != len(rs) || err != nil {
				t.Fatal(format, n, err)
			}
		}
		if srv.puts != 2*len(srv.objects) {
			t.Errorf("%s: %d writes, %d objects", format, srv.puts, len(srv.objects))
		}
		for key := range srv.objects {
			if _, err := url.PathUnescape(key); err != nil || strings.Contains(key, "//") {
				t.Errorf("key %s", key)
			}
		}
	}
}

func TestWhatAWriteSays(t *testing.T) {
	srv := newStandIn(t)
	target := open(t, srv.URL, keyID, secret, packers["parquet"]).Target().(*Target)
	target.Key, target.Owner, target.Prefix = "arn:aws:kms:eu-west-1:111122223333:key/1", "111122223333", "/out/"
	if _, err := target.Send(t.Context(), batch(t, target)); err != nil {
		t.Fatal(err)
	}
	for key, o := range srv.objects {
		if !strings.HasPrefix(key, "out/ext/onepane-") {
			t.Errorf("key %s", key)
		}
		for name, want := range map[string]string{
			"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": target.Key, "If-None-Match": "*",
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true", "X-Amz-Expected-Bucket-Owner": target.Owner,
			"Content-Type": opparquet.MediaType, "Content-Encoding": "",
		} {
			if got := o.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func BenchmarkExport(b *testing.B) {
	for format, pack := range packers {
		b.Run(format, func(b *testing.B) { exporttest.Bench(b, open(b, newStandIn(b).URL, keyID, secret, pack)) })
	}
}
