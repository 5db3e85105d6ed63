package cosmos_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/infra/local/cosmos"
)

// sendRaw sends one request below the client, signed with the account's key unless it carries an Authorization.
func (f fixture) sendRaw(t *testing.T, method, path, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.Endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	date := strings.ToLower(begin.Format(http.TimeFormat))
	r.Header.Set("x-ms-date", date)
	r.Header.Set("x-ms-version", "2020-11-05")
	r.Header.Set("Authorization", signRequest(t, f.Key(), method, path, date))
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(got)
}

// sendBody is a signed request for partition t1 that may fail on the way.
func (f fixture) sendBody(t *testing.T, method, path, body string) (code int, got string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.Endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	date := strings.ToLower(begin.Format(http.TimeFormat))
	r.Header.Set("x-ms-date", date)
	r.Header.Set("x-ms-documentdb-partitionkey", `["t1"]`)
	r.Header.Set("Authorization", signRequest(t, f.Key(), method, path, date))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// signRequest is written from the documentation of the signature, not from the server.
func signRequest(t *testing.T, key, method, path, date string) string {
	t.Helper()
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	link := strings.Trim(path, "/")
	parts := strings.Split(link, "/")
	kind := parts[len(parts)-1]
	if len(parts)%2 == 1 {
		link = strings.Join(parts[:len(parts)-1], "/")
	} else {
		kind = parts[len(parts)-2]
	}
	mac := hmac.New(sha256.New, secret)
	io.WriteString(mac, strings.ToLower(method)+"\n"+kind+"\n"+link+"\n"+date+"\n\n")
	return url.QueryEscape("type=master&ver=1.0&sig=" + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// Source: learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources.
func TestMasterKey(t *testing.T) {
	f := startFixture(t, thingsContainer())
	const docs = "/dbs/db/colls/things/docs/a"
	date := strings.ToLower(begin.Format(http.TimeFormat))
	for _, tt := range []struct {
		what, authorization string
		code                int
	}{
		{"the right key", signRequest(t, f.Key(), "GET", docs, date), 404},
		{"another key", signRequest(t, base64.StdEncoding.EncodeToString([]byte("other")), "GET", docs, date), 401},
		{"another verb", signRequest(t, f.Key(), "DELETE", docs, date), 401},
		{"another resource", signRequest(t, f.Key(), "GET", docs+"b", date), 401},
		{"another date", signRequest(t, f.Key(), "GET", docs, "tue, 04 mar 2026 00:00:00 gmt"), 401},
		{"nothing", "", 401},
		{"another kind of token", "type=resource&ver=1.0&sig=x", 401},
		{"a token nobody checks", "type=aad&ver=1.0&sig=x", 401},
	} {
		resp, body := f.sendRaw(t, "GET", docs, "", map[string]string{"Authorization": tt.authorization, "x-ms-documentdb-partitionkey": `["t1"]`})
		if resp.StatusCode != tt.code {
			t.Errorf("%s: %d %s, want %d", tt.what, resp.StatusCode, body, tt.code)
		}
		if resp.Header.Get("x-ms-activity-id") == "" || resp.Header.Get("x-ms-request-charge") == "" {
			t.Errorf("%s: an answer without activity id or charge: %v", tt.what, resp.Header)
		}
	}
}

// tokens is an Entra credential for tests.
type tokens string

func (s tokens) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(s), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// What the two built-in data roles may do. Source:
// learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-actions.
func TestEntraTokens(t *testing.T) {
	f := startFixture(t, thingsContainer(), func(o *cosmos.Options) {
		o.VerifyToken = func(token string) (cosmos.Access, error) {
			switch token {
			case "writer", "owner":
				return cosmos.Owner, nil // more than a token can have
			case "reader":
				return cosmos.ReadData, nil
			}
			return 0, errors.New("not issued here")
		}
	})
	f.createItem(t, "t1", `{"id":"a","tenant":"t1"}`)
	for _, tt := range []struct {
		token                                string
		read, query, write, database, delete int
	}{
		{"writer", 0, 0, 0, 403, 403},
		{"reader", 0, 0, 403, 403, 403},
		{"forged", 401, 401, 401, 401, 401},
	} {
		client, err := azcosmos.NewClient(f.Endpoint, tokens(tt.token), &azcosmos.ClientOptions{
			ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		c, _ := client.NewContainer("db", "things")
		if tt.token == "forged" {
			// The client asks for the account first and wraps that answer's error so that its status is lost.
			if _, err := c.ReadItem(t.Context(), partitionKey("t1"), "a", nil); err == nil {
				t.Error("a forged token reads")
			}
			continue
		}
		_, err = c.ReadItem(t.Context(), partitionKey("t1"), "a", nil)
		wantStatus(t, tt.token+" reads", err, tt.read)
		_, err = c.NewQueryItemsPager("SELECT * FROM c", partitionKey("t1"), nil).NextPage(t.Context())
		wantStatus(t, tt.token+" queries", err, tt.query)
		_, err = c.UpsertItem(t.Context(), partitionKey("t1"), []byte(`{"id":"a","tenant":"t1"}`), nil)
		wantStatus(t, tt.token+" writes", err, tt.write)
		_, err = client.CreateDatabase(t.Context(), azcosmos.DatabaseProperties{ID: "other"}, nil)
		wantStatus(t, tt.token+" creates a database", err, tt.database)
		_, err = c.Delete(t.Context(), nil)
		wantStatus(t, tt.token+" deletes a container", err, tt.delete)
	}
}
