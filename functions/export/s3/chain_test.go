package s3

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// TestTheStandardChain: the environment, a web identity exchanged at STS, and an instance's role by its metadata
// service (IMDSv2), each against a stand-in that gives a session's credentials.
func TestTheStandardChain(t *testing.T) {
	expires := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			fmt.Fprint(w, "imds-token")
		case strings.HasPrefix(r.URL.Path, "/latest/") && r.Header.Get("X-Aws-Ec2-Metadata-Token") != "imds-token":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/onepane-role"):
			fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":%q,"Token":"session","Expiration":%q}`, keyID, secret, expires)
		case strings.Contains(r.URL.Path, "/security-credentials"):
			fmt.Fprint(w, "onepane-role")
		case r.FormValue("Action") == "AssumeRoleWithWebIdentity" && r.FormValue("WebIdentityToken") == "signed" && r.FormValue("RoleArn") != "":
			fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>%s</AccessKeyId>`+
				`<SecretAccessKey>%s</SecretAccessKey><SessionToken>session</SessionToken><Expiration>%s</Expiration></Credentials>`+
				`</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, keyID, secret, expires)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer issuer.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("signed"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]map[string]string{
		"environment": {"AWS_ACCESS_KEY_ID": keyID, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "session"},
		"web identity": {
			"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/onepane", "AWS_ENDPOINT_URL_STS": issuer.URL,
		},
		"instance role": {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": issuer.URL},
		"nothing":       {},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newStandIn(t)
			srv.tokens[keyID] = "session"
			s := open(t, srv.URL, "", "", packers["plain"])
			for k, v := range env {
				t.Setenv(k, v)
			}
			var err error
			if s.client, err = Open(t.Context(), Settings{Region: region, Endpoint: srv.URL}); err != nil {
				t.Fatal(err)
			}
			target := s.Target()
			rs := batch(t, target)
			n, err := target.Send(t.Context(), rs)
			if name == "nothing" {
				if n != 0 || fault.Of(err) != fault.Denied || !strings.Contains(err.Error(), "no AWS credentials") {
					t.Errorf("%d, %v", n, err)
				}
				return
			}
			if n != len(rs) || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
}
