package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// checkSettings: each module sets the settings the table gives it, and no other.
func checkSettings(s *site) {
	for name, m := range s.modules {
		set, _ := m.locals["settings"].(map[string]any)
		for _, x := range Settings {
			_, is := set[x.Name]
			if want := slices.Contains(x.By, name); is != want {
				s.addProblem("%s: sets %s: %v, the table says %v", name, x.Name, is, want)
			}
		}
		for k := range set {
			if !slices.ContainsFunc(Settings, func(x Setting) bool { return x.Name == k }) {
				s.addProblem("%s: sets %s, which is no setting", name, k)
			}
		}
	}
	for m, where := range map[Module][]string{
		AWS: {"aws_lambda_function", "ingest", "environment.variables"}, GCP: {"google_cloud_run_v2_service", "ingest", "template"},
	} {
		if r := s.findResource(m, where[0], where[1]); !strings.Contains(strings.Join(textsOf(r.attribute(strings.Split(where[2], ".")...)), " ")+s.modules[m].text["ingest.tf"], "local.settings") {
			s.addProblem("%s: %s does not get local.settings", m, r)
		}
	}
	if app := s.findResource(Azure, "azapi_resource", "app"); app.attribute("body", "properties", "siteConfig", "appSettings", "value") != ref("v") ||
		!strings.Contains(s.modules[Azure].text["app.tf"], "for k, v in merge(local.settings, local.connections, local.vault_references)") {
		s.addProblem("azure: the app does not get local.settings, local.connections and local.vault_references")
	}
}

// checkNoSecrets: no key, password or connection string is read, made or allowed.
func checkNoSecrets(s *site) {
	secret := regexp.MustCompile(`(?i)listkeys|list_keys|accountkey|sharedaccesskey|shared_access|primary_key|connectionstring\b.*=.*endpoint|client_secret|azuread_application_password|google_service_account_key|aws_iam_access_key|sensitive_body`)
	for name, m := range s.modules {
		for file, text := range m.text {
			for i, line := range strings.Split(text, "\n") {
				if word := secret.FindString(line); word != "" {
					s.addProblem("%s/%s:%d: %s", name, file, i+1, word)
				}
			}
		}
	}
	for name, want := range map[string]map[string]any{
		"bus":      {"body.properties.disableLocalAuth": true, "body.properties.minimumTlsVersion": "1.2"},
		"hubs":     {"body.properties.disableLocalAuth": true, "body.properties.minimumTlsVersion": "1.2"},
		"cosmos":   {"body.properties.disableLocalAuth": true, "body.properties.minimalTlsVersion": "Tls12"},
		"insights": {"body.properties.DisableLocalAuth": true},
		"storage":  {"body.properties.allowSharedKeyAccess": false, "body.properties.allowBlobPublicAccess": false, "body.properties.minimumTlsVersion": "TLS1_2"},
		"vault":    {"body.properties.enableRbacAuthorization": true, "body.properties.enablePurgeProtection": true},
		"app":      {"body.properties.httpsOnly": true},
	} {
		s.expectAttributes(Azure, s.findResource(Azure, "azapi_resource", name), want)
	}
	for _, u := range s.modules[AWS].resourcesOf("aws_lambda_function_url") {
		s.expectAttributes(AWS, u, map[string]any{"authorization_type": "AWS_IAM"})
	}
}

// The table knows every setting that shared/config and the hosts of the clouds read, and they read every setting of the
// table.
func TestCodeReadsTheseSettings(t *testing.T) {
	known, read := map[string]bool{}, map[string]bool{}
	for _, s := range Settings {
		if known[s.Name] {
			t.Errorf("%s: twice in the table", s.Name)
		}
		known[s.Name] = true
	}
	for _, glob := range []string{"../../shared/config/*.go", "../../shared/config/*/*.go", "../../functions/host/*/*.go"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			for _, name := range stringLiterals(t, f, regexp.MustCompile(`^ONEPANE_[A-Z_]+$`)) {
				if read[name] = true; !known[name] {
					t.Errorf("%s: read by %s, not in contract.Settings", name, f)
				}
			}
		}
	}
	for _, s := range Settings {
		if !read[s.Name] {
			t.Errorf("%s: in contract.Settings, read by nobody", s.Name)
		}
	}
}

// stringLiterals are the string literals of a Go file that match.
func stringLiterals(t *testing.T, file string, re *regexp.Regexp) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if v, err := strconv.Unquote(l.Value); err == nil && re.MatchString(v) && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
		return true
	})
	return out
}
