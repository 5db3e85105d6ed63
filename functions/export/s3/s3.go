// Package s3 exports to Amazon S3, or a store that speaks as S3 does: NDJSON or Parquet, an object for each place of a
// batch, named by the states that are in it. What is sent twice is the same object, and is written once.
//
//	batch ─▶ Pack ─▶ PUT PREFIX/PLACE/NAME, If-None-Match: *, SHA-256 ─┬─ 200, or 412: it was there ─▶ taken
//	                      ▲                                            ├─ 301: the bucket's region ──┐
//	                      └────────────────────────────────────────────┴─────────────────────────────┘
package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// Target writes to one bucket, which exists. Of permissions it needs s3:PutObject, and of a KMS key
// kms:GenerateDataKey.
type Target struct {
	Client *s3.Client
	Bucket string
	Prefix string // before an object's key; may be empty, as it is for Security Lake
	Pack   export.Packer
	// Key is the KMS key, by id or ARN, that objects are encrypted with; empty leaves that to the bucket.
	Key string
	// Owner is the account that the bucket must belong to; empty takes any.
	Owner string
	// Overwrite writes objects that are there already once more: for stores that know no conditional writes.
	Overwrite bool
	Now       func() time.Time

	region string // the bucket's, when it is not the client's
}

// Encode implements export.Target.
func (t *Target) Encode(r export.Row) ([]byte, error) { return t.Pack.Encode(r) }

// Limits implements export.Target. They are the packer's: one write takes 5 GB.
func (t *Target) Limits() export.Limits { return t.Pack.Limits() }

// Send implements export.Target. None of a batch is taken before all its objects are: those that are written already
// are met again.
func (t *Target) Send(ctx context.Context, records []export.Record) (int, error) {
	objects, err := t.Pack.Pack(records)
	if err != nil {
		return 0, err
	}
	if _, err := t.Client.Options().Credentials.Retrieve(ctx); err != nil { // kept until they expire
		return 0, fault.Errorf(fault.Denied, "no AWS credentials: %w", err)
	}
	for _, o := range objects {
		if err := t.putObject(ctx, o); err != nil {
			return 0, fmt.Errorf("put object: %w", err)
		}
	}
	return len(records), nil
}

// putObject writes an object, where its bucket turns out to be if need be.
func (t *Target) putObject(ctx context.Context, o export.Object) error {
	_, err := t.Client.PutObject(ctx, t.putInput(o), t.useBucketRegion)
	if region := regionOf(err); region != "" && region != t.region {
		t.region = region
		_, err = t.Client.PutObject(ctx, t.putInput(o), t.useBucketRegion)
	}
	return classifyAnswer(err, !t.Overwrite, t.Now())
}

func (t *Target) useBucketRegion(o *s3.Options) {
	if t.region != "" {
		o.Region = t.region
	}
}

// putInput is the request. The checksum is one that S3 keeps with the object, and a header: a trailer is more than some
// stores read.
func (t *Target) putInput(o export.Object) *s3.PutObjectInput {
	sum := sha256.Sum256(o.Data)
	in := &s3.PutObjectInput{
		Bucket: &t.Bucket, Key: aws.String(strings.TrimPrefix(path.Join(t.Prefix, o.Key), "/")), Body: bytes.NewReader(o.Data), ContentType: &o.Type,
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	}
	if !t.Overwrite {
		in.IfNoneMatch = aws.String("*")
	}
	if t.Owner != "" {
		in.ExpectedBucketOwner = &t.Owner
	}
	if t.Key != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &t.Key
		in.BucketKeyEnabled = aws.Bool(true) // else every object is a request to KMS, with its price and its limits
	}
	return in
}
