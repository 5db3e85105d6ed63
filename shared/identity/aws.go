package identity

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// AWS is an Asserter: it asserts the role of a Lambda function, by sts:GetWebIdentityToken. The account needs
// outbound web identity federation switched on, the role the permission to call it.
//
// The one call is signed here: the STS client of the SDK would add 1.3 MB and a sixth to a cold start. The tests
// compare the signature with the client's.
type AWS struct {
	Region string
	// Keys returns the role's present credentials; on Lambda those of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
	// AWS_SESSION_TOKEN.
	Keys     func() Keys
	Endpoint string       // the region's own when empty; the global endpoint does not know this call
	HTTP     *http.Client // nil for the package's own
	Now      func() time.Time
}

// Keys are temporary AWS credentials.
type Keys struct{ ID, Secret, Session string }

// assertionSeconds is how long an assertion is valid: it is used at once, and a policy may allow 300 at most.
const assertionSeconds = 300

// Assertion implements Asserter (AWS STS API reference, GetWebIdentityToken; RS256 is what Entra takes).
func (a AWS) Assertion(ctx context.Context, audience string) (string, error) {
	body := url.Values{
		"Action":            {"GetWebIdentityToken"},
		"Version":           {"2011-06-15"},
		"Audience.member.1": {audience},
		"SigningAlgorithm":  {"RS256"},
		"DurationSeconds":   {strconv.Itoa(assertionSeconds)},
	}.Encode()
	req, err := newFormRequest(ctx, a.stsEndpoint(), body)
	if err != nil {
		return "", err
	}
	keys := a.Keys()
	if keys.ID == "" || keys.Secret == "" {
		return "", fault.Errorf(fault.Denied, "no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are empty")
	}
	req.Header.Del("Accept")
	signV4(req, body, keys, a.Region, "sts", a.Now())
	got, err := sendRequest(a.HTTP, req, "STS")
	if err != nil {
		return "", err
	}
	if got.status != http.StatusOK {
		return "", stsError(got)
	}
	token := xmlElement(got.body, "WebIdentityToken")
	if strings.Count(token, ".") != 2 {
		return "", fault.Errorf(fault.Unavailable, "STS answered 200 without a readable token")
	}
	return token, nil
}

// xmlElement returns the text of the one XML element of that name, "" unless there is exactly one. STS's codes and
// tokens have no letters that XML escapes, so that no XML decoder is needed, which would make a cold start longer.
func xmlElement(body []byte, name string) string {
	_, rest, found := strings.Cut(string(body), "<"+name+">")
	text, rest, closed := strings.Cut(rest, "</"+name+">")
	if !found || !closed || strings.Contains(rest, "<"+name+">") || strings.ContainsAny(text, "<&") {
		return ""
	}
	return strings.TrimSpace(text)
}

// stsEndpoint returns the region's address of STS: AWS partitions differ in their domain.
func (a AWS) stsEndpoint() string {
	switch {
	case a.Endpoint != "":
		return a.Endpoint
	case strings.HasPrefix(a.Region, "cn-"):
		return "https://sts." + a.Region + ".amazonaws.com.cn/"
	}
	return "https://sts." + a.Region + ".amazonaws.com/"
}

// stsHints say what is missing in a setup, by the error code of STS.
var stsHints = map[string]string{
	"OutboundWebIdentityFederationDisabled": "switch on outbound web identity federation for the account",
	"AccessDenied":                          "the role may not call sts:GetWebIdentityToken for this audience, or an organisation policy forbids it",
	"AccessDeniedException":                 "the role may not call sts:GetWebIdentityToken for this audience, or an organisation policy forbids it",
	"ExpiredToken":                          "the function's own credentials have expired",
}

// stsError returns why STS refused, by its code alone.
func stsError(a answer) error {
	code := xmlElement(a.body, "Code") // a proxy's page has none
	words := "STS answered " + strconv.Itoa(a.status)
	kind := a.faultKind()
	if isSafeCode(code) {
		words += " " + code
		if h := stsHints[code]; h != "" {
			words += " (" + h + ")"
		}
		if code == "Throttling" || code == "ThrottlingException" || code == "RequestTimeout" {
			kind = fault.Unavailable // STS says so with 400
		}
	}
	return fault.Errorf(kind, "%s", words)
}
