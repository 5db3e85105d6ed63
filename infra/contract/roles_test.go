package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// grant is one role assignment: who may do what, where.
type grant struct{ principal, role, scope string }

const (
	appPrincipal      = "local.app"
	producerPrincipal = "azapi_resource.producer_identity[cloud].output.principal_id"
	defenderPrincipal = "var.defender_export_principal_id"
)

// allowed is every assignment of an Azure role in the module. A line more, or a line fewer, is a decision.
var allowed = []grant{
	{appPrincipal, "Storage Blob Data Owner", `azapi_resource.storage["host"].id`},
	{appPrincipal, "Storage Blob Data Contributor", `azapi_resource.blob_container["claims"].id`},
	{appPrincipal, "Azure Service Bus Data Receiver", "azapi_resource.alerts.id"},
	{appPrincipal, "Azure Service Bus Data Sender", "azapi_resource.alerts.id"},
	{appPrincipal, "Azure Service Bus Data Receiver", "azapi_resource.quarantine.id"},
	{appPrincipal, "Azure Service Bus Data Sender", "azapi_resource.quarantine.id"},
	{appPrincipal, "Azure Event Hubs Data Receiver", "azapi_resource.hub.id"},
	{appPrincipal, "Monitoring Metrics Publisher", "azapi_resource.insights.id"},
	{appPrincipal, "Key Vault Secrets User", "azapi_resource.vault[0].id"},
	{appPrincipal, "Storage Blob Data Contributor", "id"}, // of each of var.export_containers
	{appPrincipal, "Monitoring Metrics Publisher", "id"},  // of each of var.sentinel_rules
	{defenderPrincipal, "Azure Event Hubs Data Sender", "azapi_resource.hub.id"},
	{producerPrincipal, "Azure Service Bus Data Sender", "azapi_resource.alerts.id"},
	{producerPrincipal, "Azure Service Bus Data Sender", "azapi_resource.quarantine.id"},
}

// roleIDs are the built-in roles by the ids Azure gives them.
var roleIDs = map[string]string{
	"Storage Blob Data Owner":             "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
	"Storage Blob Data Contributor":       "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
	"Azure Service Bus Data Receiver":     "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
	"Azure Service Bus Data Sender":       "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
	"Azure Event Hubs Data Receiver":      "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
	"Azure Event Hubs Data Sender":        "2b629674-e913-4c01-ae53-ef4638d8f975",
	"Key Vault Secrets User":              "4633458b-17de-408a-b874-0445c86b69e6",
	"Monitoring Metrics Publisher":        "3913510d-42f4-4e42-8a64-420c390055eb",
	"Cosmos DB Built-in Data Contributor": "00000000-0000-0000-0000-000000000002",
}

// checkRoles: the assignments are those of the allow list, and no others are made beside the table.
func checkRoles(s *site) {
	m := s.modules[Azure]
	var made []grant
	for _, table := range []string{"app_roles", "vault_roles", "export_roles", "defender_roles", "producer_roles"} {
		rows, _ := m.locals[table].(map[string]any)
		for _, row := range rows {
			made = append(made, grant{fmt.Sprint(valueAt(row, "principal")), fmt.Sprint(valueAt(row, "role")), fmt.Sprint(valueAt(row, "scope"))})
		}
	}
	for _, g := range allowed {
		if !slices.Contains(made, g) {
			s.addProblem("azure: missing role: %v", g)
		}
	}
	for _, g := range made {
		if !slices.Contains(allowed, g) {
			s.addProblem("azure: role beyond the allow list: %v", g)
		}
	}
	if union := "merge(local.app_roles, local.vault_roles, local.export_roles, local.defender_roles, local.producer_roles)"; m.locals["roles"] != ref(union) {
		s.addProblem("azure: local.roles is %v, want %s", m.locals["roles"], union)
	}
	ids, _ := m.locals["role_ids"].(map[string]any)
	for role, id := range ids {
		if roleIDs[role] != id {
			s.addProblem("azure: role %q is %v, want %q", role, id, roleIDs[role])
		}
	}
	s.checkAssignments()
	s.checkTrust()
}

// checkAssignments looks at every resource that grants something.
func (s *site) checkAssignments() {
	role := ref(`"/subscriptions/${var.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/${local.role_ids[each.value.role]}"`)
	want := map[string]map[string]any{
		"role": {"for_each": ref("local.roles"), "parent_id": ref("each.value.scope"),
			"body.properties.principalId": ref("each.value.principal"), "body.properties.roleDefinitionId": role},
		"cosmos_role": {"parent_id": ref("azapi_resource.cosmos.id"), "body.properties.principalId": ref("local.app"),
			"body.properties.roleDefinitionId": ref(`"${azapi_resource.cosmos.id}/sqlRoleDefinitions/${local.role_ids["Cosmos DB Built-in Data Contributor"]}"`),
			"body.properties.scope":            ref(`"${azapi_resource.cosmos.id}/dbs/${local.database}"`)},
		"claim_writer": {"parent_id": ref("azapi_resource.group.id")},
		"claim_role": {"for_each": ref("local.producers"), "parent_id": ref(`azapi_resource.blob_container["claims"].id`),
			"body.properties.principalId":      ref("azapi_resource.producer_identity[each.key].output.principal_id"),
			"body.properties.roleDefinitionId": ref("azapi_resource.claim_writer[0].id")},
	}
	for _, r := range s.modules[Azure].resources {
		if t := strings.ToLower(r.armType()); strings.Contains(t, "roleassignment") || strings.Contains(t, "roledefinition") || r.kind == "azuread_app_role_assignment" {
			if want[r.name] == nil {
				s.addProblem("azure: %s grants something beside the table", r)
			}
		}
	}
	for name, w := range want {
		s.expectAttributes(Azure, s.findResource(Azure, "azapi_resource", name), w)
	}
	writer := s.findResource(Azure, "azapi_resource", "claim_writer")
	permissions := writer.attribute("body", "properties", "permissions")
	if a, d := textsOf(valueAt(permissions, "actions")), textsOf(valueAt(permissions, "dataActions")); len(a) != 0 ||
		!slices.Equal(d, []string{"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"}) {
		s.addProblem("azure: %s allows %v and %v", writer, a, d)
	}
}

// checkAppRoles: the Entra application has the roles that the API reads, each by the name it reads, for people and
// machines alike.
func checkAppRoles(s *site) {
	of, _ := s.modules[Azure].locals["app_roles_of_api"].(map[string]any)
	if got := slices.Sorted(maps.Keys(of)); !slices.Equal(got, AppRoles) {
		s.addProblem("azure: the API's application has roles %v, the API reads %v", got, AppRoles)
	}
	roles := s.findResource(Azure, "azuread_application", "api").attribute("app_role")
	for name, want := range map[string]string{"value": "app_role.key", "id": `uuidv5("url", "onepane/${app_role.key}")`} {
		if got := textOf(valueAt(roles, name)); got != want {
			s.addProblem("azure: azuread_application.api: %s of a role is %s, want %s", name, got, want)
		}
	}
	if types := textsOf(valueAt(roles, "allowed_member_types")); !slices.Equal(types, []string{"Application", "User"}) {
		s.addProblem("azure: azuread_application.api: roles are for %v", types)
	}
	s.expectAttributes(Azure, s.findResource(Azure, "azuread_service_principal", "api"), map[string]any{"app_role_assignment_required": true})
}

// checkTrust: a producer is believed by issuer, subject and audience.
func (s *site) checkTrust() {
	s.expectAttributes(Azure, s.findResource(Azure, "azapi_resource", "producer_trust"), map[string]any{
		"for_each": ref("local.producers"), "parent_id": ref("azapi_resource.producer_identity[each.key].id"),
		"body.properties.issuer": ref("each.value.issuer"), "body.properties.subject": ref("each.value.subject"),
	})
	audience := "api://AzureADTokenExchange"
	if got := textsOf(s.findResource(Azure, "azapi_resource", "producer_trust").attribute("body", "properties", "audiences")); !slices.Equal(got, []string{audience}) {
		s.addProblem("azure: audiences %v, want %s", got, audience)
	}
	trusted, _ := s.modules[Azure].locals["producers"].(map[string]any)
	if keys := slices.Sorted(maps.Keys(trusted)); !slices.Equal(keys, []string{"aws", "gcp"}) || valueAt(trusted["gcp"], "issuer") != "https://accounts.google.com" ||
		valueAt(trusted["aws"], "issuer") != ref("var.aws_issuer") || valueAt(trusted["aws"], "subject") != ref("var.aws_subject") || valueAt(trusted["gcp"], "subject") != ref("var.gcp_subject") {
		s.addProblem("azure: producers %v", trusted)
	}
	// Azure trusts an ARN that is built from the role's name before the role exists.
	role := s.findResource(AWS, "aws_iam_role", "ingest")
	name, _ := role.attribute("name").(ref)
	if arn := ref(`"arn:aws:iam::${var.account_id}:role/` + strings.Trim(string(name), `"`) + `"`); s.modules[AWS].locals["role_arn"] != arn {
		s.addProblem("aws: local.role_arn is %v, the role's is %v", s.modules[AWS].locals["role_arn"], arn)
	}
}

// gcpAllowed is every binding of the GCP module: resource, role, member, on what.
var gcpAllowed = [][4]string{
	{"google_cloud_run_v2_service_iam_member.push", "roles/run.invoker", `"serviceAccount:${google_service_account.push.email}"`, "google_cloud_run_v2_service.ingest.name"},
	{"google_pubsub_topic_iam_member.scc", "roles/pubsub.publisher", `"serviceAccount:${local.scc_account[count.index]}"`, "google_pubsub_topic.findings.name"},
	{"google_pubsub_topic_iam_member.dead_letter", "roles/pubsub.publisher", "local.pubsub_agent", "google_pubsub_topic.dead.name"},
	{"google_pubsub_subscription_iam_member.dead_letter", "roles/pubsub.subscriber", "local.pubsub_agent", "google_pubsub_subscription.push.name"},
}

// checkGCPRoles: the bindings are those of the allow list; none is on the project.
func checkGCPRoles(s *site) {
	var made [][4]string
	for _, r := range s.modules[GCP].resources {
		if !strings.Contains(r.kind, "_iam_") {
			continue
		}
		var on any
		for _, attr := range []string{"name", "topic", "subscription"} {
			if v := r.attribute(attr); v != nil {
				on = v
			}
		}
		made = append(made, [4]string{r.String(), fmt.Sprint(r.attribute("role")), fmt.Sprint(r.attribute("member")), fmt.Sprint(on)})
	}
	for _, g := range gcpAllowed {
		if !slices.Contains(made, g) {
			s.addProblem("gcp: missing binding: %v", g)
		}
	}
	for _, g := range made {
		if !slices.Contains(gcpAllowed, g) {
			s.addProblem("gcp: binding beyond the allow list: %v", g)
		}
	}
	if agent := s.modules[GCP].locals["pubsub_agent"]; agent != ref(`"serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"`) {
		s.addProblem("gcp: the Pub/Sub service agent is %v", agent)
	}
}
