package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	bucket  = "onepane-lake"
	region  = "eu-west-1"
	keyID   = "AKIAIOSFODNN7EXAMPLE"
	secret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	maxSkew = 15 * time.Minute
)

// standIn is a bucket as S3 documents it: it checks each signature (Signature Version 4) and its scope, time, payload
// hash and checksum, and knows conditional writes.
type standIn struct {
	URL string

	mu      sync.Mutex
	objects map[string]object
	secrets map[string]string // by access key id
	tokens  map[string]string // session tokens, by access key id
	region  string            // where the bucket is
	skew    time.Duration     // of its clock
	refusal func(*http.Request) (status int, code string, header http.Header)
	puts    int
}

type object struct {
	data   []byte
	header http.Header
}

func newStandIn(t testing.TB) *standIn {
	s := &standIn{objects: map[string]object{}, secrets: map[string]string{keyID: secret}, tokens: map[string]string{}, region: region}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

func (s *standIn) now() time.Time { return time.Now().Add(s.skew).UTC() }

// ServeHTTP takes PUT and GET of objects, with the bucket in the path.
func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.now().Format(http.TimeFormat))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status, code := s.refuses(w, r, body)
	if code == "" {
		status, code = s.serve(w, r, body)
	}
	if code != "" {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>m</Message><RequestId>r</RequestId></Error>`, code)
	}
}

// refuses looks at a request in S3's order: who asks, when, where, what.
func (s *standIn) refuses(w http.ResponseWriter, r *http.Request, body []byte) (int, string) {
	if s.refusal != nil {
		if status, code, header := s.refusal(r); code != "" {
			for k, v := range header {
				w.Header()[k] = v
			}
			return status, code
		}
	}
	auth := readAuthorization(r)
	key, known := s.secrets[auth.id]
	switch at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date")); {
	case !known:
		return http.StatusForbidden, "InvalidAccessKeyId"
	case err != nil || at.Sub(s.now()).Abs() > maxSkew:
		return http.StatusForbidden, "RequestTimeTooSkewed"
	case auth.region != s.region:
		w.Header().Set("X-Amz-Bucket-Region", s.region)
		return http.StatusMovedPermanently, "PermanentRedirect"
	case r.Header.Get("X-Amz-Security-Token") != s.tokens[auth.id]:
		return http.StatusBadRequest, "InvalidToken"
	case !auth.covers(r) || auth.signature != signature(r, auth, key):
		return http.StatusForbidden, "SignatureDoesNotMatch"
	case r.Header.Get("X-Amz-Content-Sha256") != hexSum(body):
		return http.StatusBadRequest, "XAmzContentSHA256Mismatch"
	}
	return 0, ""
}

func (s *standIn) serve(w http.ResponseWriter, r *http.Request, body []byte) (int, string) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if name != bucket {
		return http.StatusNotFound, "NoSuchBucket"
	}
	o, there := s.objects[key]
	if r.Method == http.MethodGet {
		if !there {
			return http.StatusNotFound, "NoSuchKey"
		}
		_, _ = w.Write(o.data)
		return 0, ""
	}
	s.puts++
	sum := sha256.Sum256(body)
	switch {
	case len(key) > 1024:
		return http.StatusBadRequest, "KeyTooLongError"
	case r.Header.Get("X-Amz-Checksum-Sha256") != base64.StdEncoding.EncodeToString(sum[:]):
		return http.StatusBadRequest, "BadDigest"
	case r.Header.Get("If-None-Match") == "*" && there:
		return http.StatusPreconditionFailed, "PreconditionFailed"
	}
	s.objects[key] = object{body, r.Header.Clone()}
	return 0, ""
}

// authorization is the header of that name.
type authorization struct {
	id, day, region string
	signed          []string
	signature       string
}

func readAuthorization(r *http.Request) authorization {
	var a authorization
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for _, p := range strings.Split(text, ", ") {
		name, value, _ := strings.Cut(p, "=")
		switch name {
		case "Credential":
			if parts := strings.Split(value, "/"); len(parts) == 5 && parts[3] == "s3" && parts[4] == "aws4_request" {
				a.id, a.day, a.region = parts[0], parts[1], parts[2]
			}
		case "SignedHeaders":
			a.signed = strings.Split(value, ";")
		case "Signature":
			a.signature = value
		}
	}
	return a
}

// covers reports whether all is signed that S3 wants signed: the host, and every header of its own.
func (a authorization) covers(r *http.Request) bool {
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, "x-amz-") && !slices.Contains(a.signed, n) {
			return false
		}
	}
	return slices.Contains(a.signed, "host")
}

func signature(r *http.Request, a authorization, secret string) string {
	var headers strings.Builder
	for _, n := range a.signed {
		value := r.Header.Get(n)
		switch n {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		headers.WriteString(n + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), query(r.URL), headers.String(), strings.Join(a.signed, ";"), r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.day, a.region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	scope := strings.Join([]string{a.day, a.region, "s3", "aws4_request"}, "/")
	return hex.EncodeToString(mac(key, strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, hexSum([]byte(canonical))}, "\n")))
}

func query(u *url.URL) string { return strings.ReplaceAll(u.Query().Encode(), "+", "%20") }

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}
