package azuresdk_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/identity/azuresdk"
)

var now = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// source notes what it was asked for.
type source struct{ requests []identity.Request }

func (s *source) Token(_ context.Context, r identity.Request) (identity.Token, error) {
	s.requests = append(s.requests, r)
	return identity.Token{Value: "t-1", ExpiresOn: now.Add(time.Hour), RefreshOn: now.Add(time.Minute)}, nil
}

func credential(s *source) azcore.TokenCredential {
	return azuresdk.Credential(&identity.Credential{Source: s, Tenant: "directory", Now: func() time.Time { return now }})
}

func TestWhatTheSDKAsksForReachesTheSource(t *testing.T) {
	s := &source{}
	got, err := credential(s).GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://a/.default"}, Claims: "c", TenantID: "Directory"})
	if err != nil || got != (azcore.AccessToken{Token: "t-1", ExpiresOn: now.Add(time.Hour), RefreshOn: now.Add(time.Minute)}) {
		t.Errorf("%+v, %v", got, err)
	}
	if len(s.requests) != 1 || s.requests[0] != (identity.Request{Scope: "https://a/.default", Claims: "c", Tenant: "Directory"}) {
		t.Errorf("asked for %+v", s.requests)
	}
	if _, err := credential(s).GetToken(t.Context(), policy.TokenRequestOptions{TenantID: "another"}); fault.Of(err) != fault.Denied {
		t.Errorf("a token of another directory: %v", err)
	}
}

// The SDK's own pipeline sends the token.
func TestTheSDKSendsTheToken(t *testing.T) {
	sent := make(chan string, 1)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent <- r.Header.Get("Authorization") }))
	defer srv.Close()
	bearer := runtime.NewBearerTokenPolicy(credential(&source{}), []string{"https://a/.default"}, nil)
	p := runtime.NewPipeline("test", "1", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer}}, &policy.ClientOptions{Transport: srv.Client()})
	req, err := runtime.NewRequest(t.Context(), http.MethodGet, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := <-sent; got != "Bearer t-1" {
		t.Errorf("sent %q", got)
	}
}
