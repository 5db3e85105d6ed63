package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"github.com/onepane/onepane/shared/fault"
)

// Settings say where a store is.
type Settings struct {
	Region string
	// Endpoint is a store's that is not Amazon's, "https://minio.example:9000"; buckets are in the path there, not in
	// the host.
	Endpoint string
	HTTP     aws.HTTPClient // to the store; nil for one with a timeout
}

// requestTimeout bounds one write.
const requestTimeout = time.Minute

// Open makes a client with the credentials of the standard chain: environment, shared files, web identity, container,
// instance role. They are fetched when they are needed first. Files of settings that cannot be read are fault.Invalid.
//
// Trying again is left to export, whose waits are longer, except where the store says that this machine's clock is
// wrong: the client then signs by the store's clock, from the second try on.
func Open(ctx context.Context, s Settings) (*s3.Client, error) {
	own := awshttp.NewBuildableClient().WithTimeout(requestTimeout) // of the chain as well; takes AWS_CA_BUNDLE
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(s.Region), config.WithHTTPClient(own), config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "read AWS settings: %w", err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		if s.Endpoint != "" {
			o.BaseEndpoint, o.UsePathStyle = &s.Endpoint, true
		}
		if s.HTTP != nil {
			o.HTTPClient = s.HTTP
		}
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = 2
			r.Retryables = []retry.IsErrorRetryable{retry.RetryableError{}}
			r.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}), nil
}
