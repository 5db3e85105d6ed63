package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// signV4 signs a request without query, with the given body, by AWS Signature Version 4 (AWS General Reference,
// "Create a signed AWS API request"). The signature covers host, date, content type and session token.
func signV4(req *http.Request, body string, k Keys, region, service string, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	day := stamp[:8]
	path := req.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	headers := "content-type:" + req.Header.Get("Content-Type") + "\nhost:" + req.URL.Host + "\nx-amz-date:" + stamp + "\n"
	names := "content-type;host;x-amz-date"
	req.Header.Set("X-Amz-Date", stamp)
	if k.Session != "" {
		req.Header.Set("X-Amz-Security-Token", k.Session)
		headers += "x-amz-security-token:" + k.Session + "\n"
		names += ";x-amz-security-token"
	}
	canonical := req.Method + "\n" + path + "\n\n" + headers + "\n" + names + "\n" + sha256Hex(body)
	scope := day + "/" + region + "/" + service + "/aws4_request"
	key := []byte("AWS4" + k.Secret)
	for _, part := range []string{day, region, service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	signature := hex.EncodeToString(hmacSHA256(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+sha256Hex(canonical)))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+k.ID+"/"+scope+", SignedHeaders="+names+", Signature="+signature)
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}
