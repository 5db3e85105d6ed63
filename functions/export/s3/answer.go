package s3

import (
	"errors"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// kinds are the codes that say more than their status (S3 API reference, "List of error codes").
var kinds = map[string]fault.Kind{
	"EntityTooLarge": fault.TooLarge, "KeyTooLongError": fault.Invalid,
	"RequestTimeout": fault.Unavailable, "IncompleteBody": fault.Unavailable, "BadDigest": fault.Unavailable, // 400, and passing
	"XAmzContentSHA256Mismatch": fault.Unavailable, "XAmzContentChecksumMismatch": fault.Unavailable, "ExpiredToken": fault.Unavailable,
	"OperationAborted": fault.Unavailable, "ConditionalRequestConflict": fault.Unavailable, // 409
	"NoSuchBucket": fault.Denied,
}

// hints say what to look at.
var hints = map[string]string{
	"AccessDenied":         "the identity needs s3:PutObject, and kms:GenerateDataKey where a key is set; Security Lake trusts its own writer role only",
	"RequestTimeTooSkewed": "this machine's clock is wrong",
	"PermanentRedirect":    "the bucket is in another region", "AuthorizationHeaderMalformed": "the bucket is in another region",
	"NotImplemented":        "the store knows no conditional writes: set overwrite",
	"NoSuchBucket":          "the bucket is not there",
	"SignatureDoesNotMatch": "the secret access key is wrong",
}

// classifyAnswer is what an answer means to an export. Addresses and the store's words are left out of it: codes say
// enough. With conditional writes a 412 is no error: the object is there.
func classifyAnswer(err error, conditional bool, now time.Time) error {
	if err == nil {
		return nil
	}
	status, header := responseOf(err)
	if status == 0 {
		return fault.Errorf(fault.Unavailable, "the store does not answer")
	}
	code := codeOf(err)
	if status == http.StatusPreconditionFailed && conditional {
		return nil
	}
	words := code
	if h := hints[code]; h != "" {
		words += " (" + h + ")"
	}
	err = export.AnswerError(status, header, []byte(words), now)
	kind, known := kinds[code]
	switch {
	case known:
	case status == http.StatusTooManyRequests || status == http.StatusConflict:
		kind = fault.Unavailable
	case status < 500: // a request that is wrong says nothing of a record: any bytes are an object
		kind = fault.Denied
	default:
		return err
	}
	if after := export.RetryAfter(err); after > 0 {
		return export.Later(after, fault.Errorf(kind, "%w", err))
	}
	return fault.Errorf(kind, "%w", err)
}

// responseOf is the status and header that err came with; 0 when there was no answer.
func responseOf(err error) (int, http.Header) {
	var r *awshttp.ResponseError
	if !errors.As(err, &r) || r.Response == nil || r.Response.Response == nil {
		return 0, nil
	}
	return r.HTTPStatusCode(), r.Response.Header
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// regionOf is the region that the store says the bucket is in; empty when it says nothing of that. A signature for the
// wrong region is 400 where a store lets nobody ask, and 301 else.
func regionOf(err error) string {
	status, header := responseOf(err)
	if code := codeOf(err); status != http.StatusMovedPermanently && code != "AuthorizationHeaderMalformed" && code != "IllegalLocationConstraintException" {
		return ""
	}
	return header.Get("X-Amz-Bucket-Region")
}
