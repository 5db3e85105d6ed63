package s3

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, tt := range []struct {
		status int
		code   string
		want   fault.Kind
	}{
		{503, "SlowDown", fault.Unavailable}, {503, "ServiceUnavailable", fault.Unavailable}, {500, "InternalError", fault.Unavailable},
		{429, "TooManyRequests", fault.Unavailable}, {400, "RequestTimeout", fault.Unavailable}, {400, "IncompleteBody", fault.Unavailable},
		{409, "ConditionalRequestConflict", fault.Unavailable}, {409, "OperationAborted", fault.Unavailable}, {400, "BadDigest", fault.Unavailable},
		{400, "ExpiredToken", fault.Unavailable}, {403, "AccessDenied", fault.Denied}, {403, "InvalidAccessKeyId", fault.Denied},
		{403, "SignatureDoesNotMatch", fault.Denied}, {403, "RequestTimeTooSkewed", fault.Denied}, {404, "NoSuchBucket", fault.Denied},
		{400, "KMS.DisabledException", fault.Denied}, {400, "InvalidRequest", fault.Denied}, {301, "PermanentRedirect", fault.Denied},
		{400, "EntityTooLarge", fault.TooLarge}, {400, "KeyTooLongError", fault.Invalid},
	} {
		srv := newStandIn(t)
		target := open(t, srv.URL, keyID, secret, packers["plain"]).Target()
		srv.refusal = func(*http.Request) (int, string, http.Header) {
			return tt.status, tt.code, http.Header{"Retry-After": {"7"}}
		}
		n, err := target.Send(t.Context(), batch(t, target))
		if fault.Of(err) != tt.want || n != 0 || export.RetryAfter(err) != 7*time.Second {
			t.Errorf("%d %s: %d taken, %v (%v), later %v", tt.status, tt.code, n, err, fault.Of(err), export.RetryAfter(err))
		}
		if strings.Contains(err.Error(), "http") || strings.Contains(err.Error(), bucket) {
			t.Errorf("an address: %v", err)
		}
	}
}

func TestAStoreThatIsNotThere(t *testing.T) {
	target := open(t, "http://127.0.0.1:1", keyID, secret, packers["plain"]).Target()
	if _, err := target.Send(t.Context(), batch(t, target)); fault.Of(err) != fault.Unavailable || strings.Contains(err.Error(), "127") {
		t.Errorf("%v", err)
	}
	srv := newStandIn(t)
	for name, secret := range map[string]string{"a wrong secret": "x", "a right one": secret} {
		target := open(t, srv.URL, keyID, secret, packers["plain"]).Target()
		if _, err := target.Send(t.Context(), batch(t, target)); (err == nil) != (name == "a right one") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestABucketElsewhereIsFollowed: the first write asks in the wrong region, all later ones in the right one.
func TestABucketElsewhereIsFollowed(t *testing.T) {
	srv := newStandIn(t)
	srv.region = "us-west-2"
	asked := 0
	srv.refusal = func(*http.Request) (int, string, http.Header) { asked++; return 0, "", nil }
	target := open(t, srv.URL, keyID, secret, packers["plain"]).Target()
	rs := batch(t, target)
	for _, r := range rs {
		if _, err := target.Send(t.Context(), []export.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if asked != len(rs)+1 || len(srv.objects) != len(rs) {
		t.Errorf("%d requests, %d objects of %d records", asked, len(srv.objects), len(rs))
	}
}

// TestAWrongClockIsCorrected: the store refuses the first request, and says what time it is.
func TestAWrongClockIsCorrected(t *testing.T) {
	srv := newStandIn(t)
	srv.skew = -3 * time.Hour
	asked := 0
	srv.refusal = func(*http.Request) (int, string, http.Header) { asked++; return 0, "", nil }
	target := open(t, srv.URL, keyID, secret, packers["plain"]).Target()
	rs := batch(t, target)
	for _, r := range rs {
		if _, err := target.Send(t.Context(), []export.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if asked != len(rs)+1 {
		t.Errorf("%d requests for %d records", asked, len(rs))
	}
}

func TestOverwrite(t *testing.T) {
	srv := newStandIn(t)
	s := open(t, srv.URL, keyID, secret, packers["plain"])
	target := s.Target().(*Target)
	rs := batch(t, target)
	srv.refusal = func(r *http.Request) (int, string, http.Header) {
		if r.Header.Get("If-None-Match") != "" {
			return http.StatusNotImplemented, "NotImplemented", nil
		}
		return 0, "", nil
	}
	if _, err := target.Send(t.Context(), rs); err == nil || !strings.Contains(err.Error(), "set overwrite") {
		t.Errorf("a store without conditional writes: %v", err)
	}
	target.Overwrite = true
	if n, err := target.Send(t.Context(), rs); n != len(rs) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
