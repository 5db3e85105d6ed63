package cosmos

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// Access is what the holder of a key or token may do.
type Access int

// The accesses. A master key owns the account; a token has at most the built-in data roles, which create, change and
// delete neither databases nor containers.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-actions, "can't be used for management".
const (
	ReadData  Access = iota + 1 // role Cosmos DB Built-in Data Reader, …0001
	WriteData                   // role Cosmos DB Built-in Data Contributor, …0002
	Owner                       // the master key
)

// authorizer knows who may call.
type authorizer struct {
	key         []byte
	verifyToken func(token string) (Access, error) // nil refuses every token
}

// authorizeRequest says who is calling, or 401.
func (z *authorizer) authorizeRequest(r *request) (Access, error) {
	header := r.Header.Get("Authorization")
	if strings.HasPrefix(strings.ToLower(header), "type%3d") {
		plain, err := url.QueryUnescape(header)
		if err != nil {
			return 0, refuseUnauthorized("the authorization header is not well formed")
		}
		header = plain
	}
	fields := map[string]string{}
	for _, part := range strings.Split(header, "&") {
		name, value, _ := strings.Cut(part, "=")
		fields[name] = value
	}
	switch {
	case header == "":
		return 0, refuseUnauthorized("Required Header authorization is missing")
	case fields["ver"] != "1.0":
		return 0, refuseUnauthorized("the token version is not 1.0")
	case fields["type"] == "master":
		return z.checkMasterKey(r, fields["sig"])
	case fields["type"] == "aad":
		return z.checkToken(r, fields["sig"])
	}
	return 0, refuseUnauthorized("the token type is neither master nor aad")
}

// checkMasterKey checks a signature over verb, resource type, resource link and date, all in lower case but the link.
// Source: learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources.
func (z *authorizer) checkMasterKey(r *request, signature string) (Access, error) {
	date := r.Header.Get("x-ms-date")
	if date == "" {
		return 0, refuseUnauthorized("x-ms-date is missing")
	}
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return 0, refuseUnauthorized("the signature is not base64")
	}
	kind, link := signedResource(r.path)
	mac := hmac.New(sha256.New, z.key)
	mac.Write([]byte(strings.ToLower(r.Method) + "\n" + kind + "\n" + link + "\n" + strings.ToLower(date) + "\n\n"))
	if !hmac.Equal(got, mac.Sum(nil)) {
		return 0, refuseUnauthorized("The input authorization token can't serve the request. The wrong key is being used or the " +
			"expected payload is not built as per the protocol")
	}
	return Owner, nil
}

// signedResource is what the signature covers: for a list its kind and its parent, for one thing its kind and itself.
// An offer is named by its resource id alone, in lower case.
func signedResource(path []string) (kind, link string) {
	switch n := len(path); {
	case n == 0:
		return "", ""
	case path[0] == "offers" && n == 2:
		return "offers", strings.ToLower(path[1])
	case n%2 == 1:
		return path[n-1], strings.Join(path[:n-1], "/")
	default:
		return path[n-2], strings.Join(path, "/")
	}
}

// checkToken checks an Entra token.
func (z *authorizer) checkToken(r *request, token string) (Access, error) {
	if z.verifyToken == nil {
		return 0, refuseUnauthorized("this account takes no Entra tokens")
	}
	access, err := z.verifyToken(token)
	if err != nil {
		return 0, refuseUnauthorized("the Entra token is refused: %v", err)
	}
	return min(access, WriteData), nil
}

// requireAccess refuses who has less access than that.
func (r *request) requireAccess(access Access) error {
	if r.access >= access {
		return nil
	}
	return newRefusal(http.StatusForbidden, "Forbidden", "Request blocked by Auth: the principal does not have the required "+
		"RBAC permissions to perform %s on /%s", r.Method, strings.Join(r.path, "/")).withSubstatus(5300)
}

func refuseUnauthorized(format string, args ...any) *refusal {
	return newRefusal(http.StatusUnauthorized, "Unauthorized", format, args...)
}
