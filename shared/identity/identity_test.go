package identity

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/onepane/onepane/shared/fault"
)

func (c *cloud) awsAsserter() Asserter {
	return AWS{Region: region, Keys: func() Keys { return testKeys }, Endpoint: c.URL + "/sts", Now: fixedTime}
}

func (c *cloud) googleAsserter() Asserter { return Google{Host: strings.TrimPrefix(c.URL, "http://")} }

func (c *cloud) entraSource(a Asserter) Source {
	return Entra{Authority: c.URL, Tenant: directory, Client: clientID, Asserter: a, Now: fixedTime}
}

func (c *cloud) managedSource() Source {
	return Managed{Endpoint: c.URL + "/msi/token", Header: appHeader, Client: clientID, Now: fixedTime}
}

func newCredential(s Source) *Credential {
	return &Credential{Source: s, Tenant: directory, Now: fixedTime, Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func getToken(ctx context.Context, c *Credential) (Token, error) {
	return c.Token(ctx, Request{Scope: scope})
}

func TestEveryPlatformGetsAToken(t *testing.T) {
	for _, tt := range []struct {
		name    string
		source  func(*cloud) Source
		expires time.Duration
	}{
		{"Lambda", func(c *cloud) Source { return c.entraSource(c.awsAsserter()) }, 3599 * time.Second},
		{"Cloud Run", func(c *cloud) Source { return c.entraSource(c.googleAsserter()) }, 3599 * time.Second},
		{"Functions", (*cloud).managedSource, 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := getToken(t.Context(), newCredential(tt.source(newCloud(t))))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(got.Value, ".") != 2 || !got.ExpiresOn.Equal(now.Add(tt.expires)) {
				t.Errorf("token of %d bytes until %v, want one until %v", len(got.Value), got.ExpiresOn, now.Add(tt.expires))
			}
		})
	}
}

// AWS's own client asks the stand-in for the same, and reads its answer.
func TestTheSDKReadsTheSTSStandIn(t *testing.T) {
	c := newCloud(t)
	fetch := func(ctx context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: testKeys.ID, SecretAccessKey: testKeys.Secret}, nil
	}
	c.fail = func(_ string, _ int, w http.ResponseWriter, r *http.Request) bool {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		c.checkEqual("STS from the SDK", r.PostForm, map[string]string{"Action": "GetWebIdentityToken", "Version": "2011-06-15",
			"Audience.member.1": Audience, "SigningAlgorithm": "RS256", "DurationSeconds": "300"})
		c.stsAnswer(w)
		return true
	}
	client := sts.New(sts.Options{Region: region, BaseEndpoint: aws.String(c.URL + "/sts"), Credentials: aws.CredentialsProviderFunc(fetch), RetryMaxAttempts: 1})
	in := &sts.GetWebIdentityTokenInput{Audience: []string{Audience}, SigningAlgorithm: aws.String("RS256"), DurationSeconds: aws.Int32(300)}
	out, err := client.GetWebIdentityToken(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.WebIdentityToken != c.secret[len(c.secret)-1] || !out.Expiration.Equal(now.Add(5*time.Minute)) {
		t.Errorf("the SDK read %q until %v", *out.WebIdentityToken, out.Expiration)
	}
}

func TestATokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	c := newCloud(t)
	cred := newCredential(c.entraSource(c.awsAsserter()))
	at := now
	cred.Now = func() time.Time { return at }
	first, err := getToken(t.Context(), cred)
	if err != nil {
		t.Fatal(err)
	}
	at = now.Add(54 * time.Minute)
	if again, err := getToken(t.Context(), cred); err != nil || again.Value != first.Value || c.countCalls("entra") != 1 {
		t.Errorf("after 54 minutes: asked %d times, %v", c.countCalls("entra"), err)
	}
	at = now.Add(56 * time.Minute)
	if again, err := getToken(t.Context(), cred); err != nil || again.Value != first.Value {
		t.Errorf("after 56 minutes the kept token is still good, and nobody waits for the next: %v", err)
	}
	waitUntil(t, func() bool { tok, err := getToken(t.Context(), cred); return err == nil && tok.Value != first.Value })
	if n := c.countCalls("entra"); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
}

func TestAGoodTokenOutlivesAFailingService(t *testing.T) {
	c := newCloud(t)
	cred := newCredential(c.managedSource())
	var mu sync.Mutex
	at := now
	cred.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	first, err := getToken(t.Context(), cred)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.fail = func(_ string, _ int, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(503); return true }
	c.mu.Unlock()
	mu.Lock()
	at = now.Add(24*time.Hour - time.Minute)
	mu.Unlock()
	if again, err := getToken(t.Context(), cred); err != nil || again.Value != first.Value {
		t.Errorf("a minute before the end: %v", err)
	}
	waitUntil(t, func() bool { return c.countCalls("app") == 1+maxTries })
	mu.Lock()
	at = now.Add(25 * time.Hour)
	mu.Unlock()
	if _, err := getToken(t.Context(), cred); fault.Of(err) != fault.Unavailable {
		t.Errorf("after the end: %v, want it unavailable", err)
	}
}

func TestManyAskOnce(t *testing.T) {
	c := newCloud(t)
	cred := newCredential(c.entraSource(c.googleAsserter()))
	hold := make(chan struct{})
	c.fail = func(service string, _ int, _ http.ResponseWriter, _ *http.Request) bool {
		if service == "entra" {
			<-hold
		}
		return false
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := getToken(t.Context(), cred); err != nil {
				t.Error(err)
			}
		})
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := getToken(gone, cred); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up got %v", err)
	}
	close(hold)
	wg.Wait()
	if n := c.countCalls("entra"); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
}

// Whoever starts the fetch and leaves takes it from nobody else.
func TestTheFetchOutlivesItsCaller(t *testing.T) {
	c := newCloud(t)
	cred := newCredential(c.managedSource())
	gone, cancel := context.WithCancel(t.Context())
	c.fail = func(string, int, http.ResponseWriter, *http.Request) bool { cancel(); return false }
	_, _ = getToken(gone, cred)
	waitUntil(t, func() bool { _, err := getToken(t.Context(), cred); return err == nil })
	if n := c.countCalls("app"); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
}

func TestPassingTroubleIsTriedAgain(t *testing.T) {
	c := newCloud(t)
	c.fail = func(_ string, n int, w http.ResponseWriter, _ *http.Request) bool {
		if n < maxTries {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return n < maxTries
	}
	if _, err := getToken(t.Context(), newCredential(c.managedSource())); err != nil {
		t.Error(err)
	}
}

func TestAnotherDirectoryIsRefused(t *testing.T) {
	c := newCloud(t)
	_, err := newCredential(c.managedSource()).Token(t.Context(), Request{Scope: scope, Tenant: "another"})
	if fault.Of(err) != fault.Denied || c.countCalls("app") != 0 {
		t.Errorf("%v after %d requests", err, c.countCalls("app"))
	}
}

// Errors say what to do, carry the right kind, and show nothing that is secret, though services quote it.
func TestErrorsExplainAndKeepSecrets(t *testing.T) {
	for _, tt := range []struct {
		name   string
		source func(*cloud) Source
		fail   func(c *cloud, service string, w http.ResponseWriter) bool
		kind   fault.Kind
		says   string
	}{
		{"federation is switched off", func(c *cloud) Source { return c.entraSource(c.awsAsserter()) }, func(c *cloud, _ string, w http.ResponseWriter) bool {
			stsRefusal(w, 400, "OutboundWebIdentityFederationDisabled", "for "+testKeys.Session)
			return true
		}, fault.Denied, "switch on outbound web identity federation"},
		{"the role may not", func(c *cloud) Source { return c.entraSource(c.awsAsserter()) }, func(c *cloud, _ string, w http.ResponseWriter) bool {
			stsRefusal(w, 403, "AccessDenied", "secret "+testKeys.Secret)
			return true
		}, fault.Denied, "sts:GetWebIdentityToken"},
		{"STS throttles", func(c *cloud) Source { return c.entraSource(c.awsAsserter()) }, func(c *cloud, _ string, w http.ResponseWriter) bool {
			stsRefusal(w, 400, "Throttling", "Rate exceeded")
			return true
		}, fault.Unavailable, "Throttling"},
		{"a code that is a token", func(c *cloud) Source { return c.entraSource(c.awsAsserter()) }, func(c *cloud, _ string, w http.ResponseWriter) bool {
			stsRefusal(w, 400, testKeys.Session, "")
			return true
		}, fault.Denied, "STS answered 400"},
		{"Entra trusts another", func(c *cloud) Source { return c.entraSource(c.awsAsserter()) }, func(c *cloud, service string, w http.ResponseWriter) bool {
			if service == "entra" {
				c.refuseRequest(w, 700213, c.secret[len(c.secret)-1])
			}
			return service == "entra"
		}, fault.Denied, "AADSTS700213 (no federated credential of the identity has this subject"},
		{"Entra is down", func(c *cloud) Source { return c.entraSource(c.googleAsserter()) }, func(c *cloud, service string, w http.ResponseWriter) bool {
			if service == "entra" {
				w.WriteHeader(503)
			}
			return service == "entra"
		}, fault.Unavailable, "Entra answered 503"},
		{"a token nobody can read", (*cloud).managedSource, func(c *cloud, _ string, w http.ResponseWriter) bool {
			_, _ = w.Write([]byte(`{"access_token":"` + c.accessToken(scope) + `","expires_on":{}}`))
			return true
		}, fault.Unavailable, "without a readable token"},
		{"no service account", func(c *cloud) Source { return c.entraSource(c.googleAsserter()) }, func(c *cloud, _ string, w http.ResponseWriter) bool {
			w.WriteHeader(404)
			return true
		}, fault.Denied, "without a service account"},
		{"not a metadata server", func(c *cloud) Source { return c.entraSource(c.googleAsserter()) }, func(c *cloud, _ string, w http.ResponseWriter) bool {
			_, _ = w.Write([]byte("a.b.c"))
			return true
		}, fault.Denied, "is no metadata server"},
		{"a redirect", func(c *cloud) Source { return c.entraSource(c.googleAsserter()) }, func(c *cloud, service string, w http.ResponseWriter) bool {
			if service == "entra" {
				w.Header().Set("Location", "http://elsewhere.invalid/")
				w.WriteHeader(307)
			}
			return service == "entra"
		}, fault.Denied, "Entra answered 307"},
		{"the identity is not assigned", (*cloud).managedSource, func(c *cloud, _ string, w http.ResponseWriter) bool {
			w.WriteHeader(400)
			return true
		}, fault.Denied, "is the identity assigned"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCloud(t)
			c.fail = func(service string, _ int, w http.ResponseWriter, _ *http.Request) bool {
				return tt.fail(c, service, w)
			}
			_, err := getToken(t.Context(), newCredential(tt.source(c)))
			if fault.Of(err) != tt.kind || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("%v (%v), want %v saying %q", err, fault.Of(err), tt.kind, tt.says)
			}
			for _, s := range c.secret {
				if strings.Contains(err.Error(), s) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}

func TestStsIsRegional(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "https://sts.eu-west-1.amazonaws.com/", "us-gov-west-1": "https://sts.us-gov-west-1.amazonaws.com/",
		"cn-north-1": "https://sts.cn-north-1.amazonaws.com.cn/",
	} {
		if got := (AWS{Region: region}).stsEndpoint(); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

func TestElement(t *testing.T) {
	for body, want := range map[string]string{
		"<a><Code> X </Code></a>": "X", "<Code></Code>": "", "<Code>X": "", "Code": "", "": "", "<Code>X</Code><Code>Y</Code>": "",
		"<Code>a<b/></Code>": "", "<Code>a&amp;b</Code>": "", "<Codes>X</Codes>": "", "</Code><Code>X</Code>": "X",
	} {
		if got := xmlElement([]byte(body), "Code"); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// waitUntil waits for a condition.
func waitUntil(t *testing.T, ok func() bool) {
	t.Helper()
	for !ok() {
		select {
		case <-t.Context().Done():
			t.Fatal("the condition never held")
		case <-time.After(time.Millisecond):
		}
	}
}
