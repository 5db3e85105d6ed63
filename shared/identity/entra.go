package identity

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// Audience is the audience that Entra expects of an assertion (workload identity federation).
const Audience = "api://AzureADTokenExchange"

// Asserter gets a JWT, signed by the platform, that says who this process is. Errors are as of Source.
type Asserter interface {
	Assertion(ctx context.Context, audience string) (string, error)
}

// Entra is a Source: it exchanges an assertion for a token of the managed identity that trusts the asserting platform
// (Microsoft identity platform, client credentials flow with a federated credential).
type Entra struct {
	Authority string // "https://login.microsoftonline.com" when empty; sovereign clouds have their own
	Tenant    string // directory id
	Client    string // client id of the user-assigned managed identity
	Asserter  Asserter
	HTTP      *http.Client // nil for the package's own
	Now       func() time.Time
}

// Token implements Source.
func (e Entra) Token(ctx context.Context, r Request) (Token, error) {
	assertion, err := e.Asserter.Assertion(ctx, Audience)
	if err != nil {
		return Token{}, err
	}
	authority := e.Authority
	if authority == "" {
		authority = "https://login.microsoftonline.com"
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"client_id":             {e.Client},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
		"scope":                 {r.Scope},
	}
	if r.Claims != "" {
		form.Set("claims", r.Claims)
	}
	req, err := newFormRequest(ctx, strings.TrimSuffix(authority, "/")+"/"+url.PathEscape(e.Tenant)+"/oauth2/v2.0/token", form.Encode())
	if err != nil {
		return Token{}, err
	}
	askedAt := e.Now()
	a, err := sendRequest(e.HTTP, req, "Entra")
	if err != nil {
		return Token{}, err
	}
	if a.status != http.StatusOK {
		return Token{}, entraError(a)
	}
	return readToken(a.body, askedAt, "Entra")
}

// readToken returns the token in an answer of the service named from, asked for at askedAt. Entra says how many
// seconds the token is valid, App Service until when, and both may write numbers as strings.
func readToken(body []byte, askedAt time.Time, from string) (Token, error) {
	var t struct {
		Token     string `json:"access_token"`
		ExpiresIn number `json:"expires_in"`
		RefreshIn number `json:"refresh_in"`
		ExpiresOn number `json:"expires_on"`
	}
	if err := json.Unmarshal(body, &t); err != nil || t.Token == "" {
		// the decoder's error could quote the token
		return Token{}, fault.Errorf(fault.Unavailable, "%s answered 200 without a readable token", from)
	}
	out := Token{Value: t.Token}
	switch {
	case t.ExpiresOn > 0:
		out.ExpiresOn = time.Unix(int64(t.ExpiresOn), 0).UTC()
	case t.ExpiresIn > 0:
		out.ExpiresOn = askedAt.Add(time.Duration(t.ExpiresIn) * time.Second)
	default:
		return Token{}, fault.Errorf(fault.Unavailable, "%s answered with a token that does not say when it expires", from)
	}
	if t.RefreshIn > 0 {
		out.RefreshOn = askedAt.Add(time.Duration(t.RefreshIn) * time.Second)
	}
	return out, nil
}

// number is a JSON number, or one written as a string.
type number int64

// UnmarshalJSON reads either spelling.
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	*n = number(v)
	return err
}

// entraHints say what is wrong with a setup, or not known yet, by the number in error_codes (Microsoft Entra
// authentication and authorization error codes).
var entraHints = map[int]string{
	70021:   "no federated credential of the identity matches the assertion; one created in the last minutes may not be known yet",
	700211:  "no federated credential of the identity has this issuer; one created in the last minutes may not be known yet",
	700212:  "no federated credential of the identity has this audience",
	700213:  "no federated credential of the identity has this subject: check the role's ARN or the service account's number",
	700016:  "the client id is not known in this directory",
	90002:   "the directory id is not known",
	700024:  "the assertion is outside its time of validity: check the clock",
	7000229: "the identity has no service principal in this directory yet",
}

// entraError returns why Entra refused, by its codes alone: its description may quote the request.
func entraError(a answer) error {
	var e struct {
		Error string `json:"error"`
		Codes []int  `json:"error_codes"`
	}
	_ = json.Unmarshal(a.body, &e) // a proxy's page has no codes
	kind := a.faultKind()
	words := "Entra answered " + strconv.Itoa(a.status)
	if isSafeCode(e.Error) {
		words += " " + e.Error
	}
	for _, code := range e.Codes {
		words += ", AADSTS" + strconv.Itoa(code)
		if h := entraHints[code]; h != "" {
			words += " (" + h + ")"
		}
	}
	return fault.Errorf(kind, "%s", words)
}
