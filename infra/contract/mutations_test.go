package contract

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutation is one mistake someone could make in infra/.
type mutation struct {
	name     string
	file     string
	old, new string // the first occurrence of old becomes new
	check    string // of the checks, the one that must say so
}

var mutations = []mutation{
	{"dropped role assignment", "azure/roles.tf", `    app-alerts-receive     = { principal = local.app, role = "Azure Service Bus Data Receiver", scope = azapi_resource.alerts.id }` + "\n", "", "azure roles are the allow list"},
	{"role on the whole namespace", "azure/roles.tf", `role = "Azure Service Bus Data Sender", scope = azapi_resource.alerts.id }`, `role = "Azure Service Bus Data Sender", scope = azapi_resource.bus.id }`, "azure roles are the allow list"},
	{"producer may receive", "azure/roles.tf", `producer_identity[cloud].output.principal_id, role = "Azure Service Bus Data Sender", scope = azapi_resource.alerts.id`, `producer_identity[cloud].output.principal_id, role = "Azure Service Bus Data Receiver", scope = azapi_resource.alerts.id`, "azure roles are the allow list"},
	{"owner's id under a sender's name", "azure/roles.tf", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39", "090c5cfd-751d-490a-894a-3ce6f1109419", "azure roles are the allow list"},
	{"role beside the table", "azure/budget.tf", `type      = "Microsoft.Consumption/budgets@2023-11-01"`, `type      = "Microsoft.Authorization/roleAssignments@2022-04-01"`, "azure roles are the allow list"},
	{"claim writer reads", "azure/roles.tf", "blobs/add/action", "blobs/read", "azure roles are the allow list"},
	{"store role on the account", "azure/roles.tf", `"${azapi_resource.cosmos.id}/dbs/${local.database}"`, "azapi_resource.cosmos.id", "azure roles are the allow list"},
	{"wrong audience", "azure/identity.tf", "api://AzureADTokenExchange", "api://AzureADTokenexchange", "azure roles are the allow list"},
	{"role renamed, trust not", "aws/roles.tf", `"${local.name}-ingest-aws"`, `"${local.name}-ingest"`, "azure roles are the allow list"},

	{"rows for anybody's rule", "azure/roles.tf", `role = "Monitoring Metrics Publisher", scope = id }`, `role = "Monitoring Metrics Publisher", scope = azapi_resource.group.id }`, "azure roles are the allow list"},
	{"exports own their storage", "azure/roles.tf", `role = "Storage Blob Data Contributor", scope = id }`, `role = "Storage Blob Data Owner", scope = id }`, "azure roles are the allow list"},
	{"exports' roles given to nobody", "azure/roles.tf", "local.vault_roles, local.export_roles,", "local.vault_roles,", "azure roles are the allow list"},
	{"role that the API does not read", "azure/entra.tf", `"Onepane.Operate.All" `, `"Onepane.Operate" `, "directory roles are those of the API"},
	{"role forgotten", "azure/entra.tf", "    \"Onepane.Ingest.All\"             = \"Deliver alerts\"\n", "", "directory roles are those of the API"},
	{"everybody of the directory", "azure/entra.tf", "app_role_assignment_required = true", "app_role_assignment_required = false", "directory roles are those of the API"},

	{"flipped requiresSession", "azure/bus.tf", "requiresSession                     = true", "requiresSession                     = false", "queues are what the driver takes for granted"},
	{"trigger without sessions", "azure/app/correlate/function.json", `"isSessionsEnabled": true`, `"isSessionsEnabled": false`, "triggers are those that the handler answers"},
	{"no duplicate detection", "azure/bus.tf", "requiresDuplicateDetection          = true", "requiresDuplicateDetection          = false", "queues are what the driver takes for granted"},
	{"alerts expire silently", "azure/bus.tf", "deadLetteringOnMessageExpiration    = true", "deadLetteringOnMessageExpiration    = false", "queues are what the driver takes for granted"},
	{"queue renamed", "azure/names.tf", `alerts     = "alerts"`, `alerts     = "alert"`, "queues are what the driver takes for granted"},
	{"queue may be replaced", "azure/bus.tf", "prevent_destroy = true", "prevent_destroy = false", "queues are what the driver takes for granted"},
	{"claims die before messages", "azure/storage.tf", "claim_days = 45", "claim_days = 30", "queues are what the driver takes for granted"},

	{"misspelt setting", "azure/app.tf", "ONEPANE_COSMOS_ENDPOINT ", "ONEPANE_COSMOS_ENDPIONT ", "settings are those of the code"},
	{"setting forgotten on AWS", "aws/ingest.tf", "    ONEPANE_QUARANTINE_QUEUE = var.azure.quarantine_queue\n", "", "settings are those of the code"},
	{"setting invented on GCP", "gcp/ingest.tf", "ONEPANE_PUSH_ACCOUNT ", "ONEPANE_PUSH_MEMBER ", "settings are those of the code"},
	{"retention left out", "azure/app.tf", "ONEPANE_RETENTION_DAYS = ", "ONEPANE_RETENTION = ", "settings are those of the code"},
	{"configuration left out", "azure/app.tf", "    var.configuration == null ? {} : { ONEPANE_CONFIG_YAML = var.configuration },\n", "", "settings are those of the code"},
	{"secrets left out", "azure/app.tf", "merge(local.settings, local.connections, local.vault_references)", "merge(local.settings, local.connections)", "settings are those of the code"},
	{"function without its settings", "aws/ingest.tf", "variables = local.settings", "variables = {}", "settings are those of the code"},

	{"shared keys", "azure/storage.tf", "allowSharedKeyAccess         = false", "allowSharedKeyAccess         = true", "no secret is read, made or allowed"},
	{"local authentication", "azure/bus.tf", "disableLocalAuth    = true", "disableLocalAuth    = false", "no secret is read, made or allowed"},
	{"open function URL", "aws/ingest.tf", `"AWS_IAM"`, `"NONE"`, "no secret is read, made or allowed"},

	{"trigger nobody answers", "azure/app/export/function.json", `"name": "timer"`, `"name": "tick"`, "triggers are those that the handler answers"},
	{"schedule that no setting has", "azure/app.tf", "    ExportSchedule ", "    ExportsSchedule ", "triggers are those that the handler answers"},
	{"schedule set aside", "azure/app/export/function.json", `"%ExportSchedule%"`, `"0 0 * * * *"`, "triggers are those that the handler answers"},
	{"connection without identity", "azure/app.tf", "    ServiceBus__credential ", "    ServiceBuss__credential ", "triggers are those that the handler answers"},
	{"another event hub", "azure/defender.tf", "name      = local.event_hub", "name      = \"defender2\"", "triggers are those that the handler answers"},
	{"another consumer group", "azure/names.tf", `consumer_group  = "ingest-azure"`, `consumer_group  = "ingest"`, "triggers are those that the handler answers"},
	{"lost batches of events", "azure/app/ingest-azure/function.json", `"maxRetryCount": -1`, `"maxRetryCount": 5`, "triggers are those that the handler answers"},
	{"batch outlives its session lock", "azure/app/host.json", "00:04:00", "00:10:00", "triggers are those that the handler answers"},
	{"shorter session lock", "azure/bus.tf", `"PT5M"`, `"PT1M"`, "triggers are those that the handler answers"},
	{"route prefix", "azure/app/host.json", `"routePrefix": ""`, `"routePrefix": "api"`, "triggers are those that the handler answers"},
	{"push to no route", "gcp/findings.tf", `ingest.uri}/"`, `ingest.uri}/push"`, "pushes reach their route"},
	{"another audience", "gcp/findings.tf", "audience              = local.audience", "audience              = google_cloud_run_v2_service.ingest.uri", "pushes reach their route"},

	{"another partition key", "azure/store.tf", `["/tenant", "/id"]`, `["/id", "/tenant"]`, "containers are those that the driver opens"},
	{"path no longer indexed", "azure/store.tf", `"/ids/[]/?", `, "", "containers are those that the driver opens"},
	{"binary read as text", "azure/app/correlate/function.json", `"dataType": "binary"`, `"dataType": "string"`, "triggers are those that the handler answers"},
	{"everything expires", "azure/store.tf", "defaultTtl   = -1", "defaultTtl   = 86400", "containers are those that the driver opens"},
	{"nothing expires", "azure/store.tf", `indexingMode  = "consistent"`, `indexingMode  = "none"`, "containers are those that the driver opens"},
	{"everything indexed", "azure/store.tf", `excludedPaths = [{ path = "/*" }]`, `excludedPaths = []`, "containers are those that the driver opens"},

	{"over-broad action", "aws/roles.tf", `"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"`, `"sqs:*"`, "aws statements are the allow list"},
	{"over-broad resource", "aws/roles.tf", "Resource = [aws_sqs_queue.findings.arn]", `Resource = ["*"]`, "aws statements are the allow list"},
	{"tokens for any audience", "aws/roles.tf", `["api://AzureADTokenExchange"]`, `["*"]`, "aws statements are the allow list"},
	{"bus open to everyone", "aws/events.tf", `"aws:PrincipalOrgID" = var.organization_id, `, "", "aws statements are the allow list"},
	{"over-broad action in member accounts", "aws/stackset/member.yaml", "Action: [events:PutEvents]", `Action: ["events:*"]`, "aws statements are the allow list"},
	{"runtime account on the project", "gcp/roles.tf", `resource "google_cloud_run_v2_service_iam_member" "push"`, `resource "google_project_iam_member" "push"`, "gcp bindings are the allow list"},

	{"missing dead-letter permission", "aws/queues.tf", `resource "aws_sqs_queue_policy" "dead"`, `resource "aws_sqs_queue_policy" "ignored"`, "aws hops have dead letters"},
	{"dead-letter permission for other rules", "aws/queues.tf", `for k, r in aws_cloudwatch_event_rule.forward`, `for k, r in aws_cloudwatch_event_rule.take`, "aws hops have dead letters"},
	{"missing dead-letter queue", "aws/events.tf", "  dead_letter_config {\n    arn = aws_sqs_queue.dead.arn\n  }\n", "", "aws hops have dead letters"},
	{"no redrive", "aws/queues.tf", "  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })\n", "", "aws hops have dead letters"},
	{"one failure fails its batch", "aws/ingest.tf", `["ReportBatchItemFailures"]`, "[]", "aws hops have dead letters"},
	{"missing dead-letter permission of Pub/Sub", "gcp/roles.tf", `role         = "roles/pubsub.subscriber"`, `role         = "roles/pubsub.viewer"`, "gcp bindings are the allow list"},
	{"dead letters kept by nobody", "gcp/findings.tf", `topic                      = google_pubsub_topic.dead.id`, `topic                      = google_pubsub_topic.findings.id`, "gcp hops have dead letters"},
	{"missing dead-letter permission in member accounts", "aws/stackset/member.yaml", "                  - !GetAtt MacieRule.Arn\n", "", "stackset hops have dead letters"},

	{"wrong detail type", "aws/events.tf", `["GuardDuty Finding"]`, `["GuardDuty Findings"]`, "patterns take each finding once"},
	{"all of a source", "aws/events.tf", "      detail-type = [\"Inspector2 Finding\"]\n", "", "patterns take each finding once"},
	{"forwarded findings not left out", "aws/events.tf", `direct = { guardduty = "GuardDuty"`, `direct = { guardduty = "Guard Duty"`, "patterns take each finding once"},
	{"wrong pattern in member accounts", "aws/stackset/member.yaml", "source: [aws.macie]", "source: [aws.macie2]", "patterns take each finding once"},
	{"aliases CloudFormation does not read", "aws/stackset/member.yaml", "        source: [aws.guardduty]\n", "        source: &s [aws.guardduty]\n        x: *s\n", "stackset hops have dead letters"},

	{"removed alarm", "azure/alarms.tf", "    dead-letters = {", "    dead-letter = {", "alarms are set"},
	{"partitions fill unseen", "azure/telemetry.tf", `"PartitionKeyStatistics", `, "", "alarms are set"},
	{"partition alarm asks the app", "azure/alarms.tf", `of    = "store"`, `of    = "app"`, "alarms are set"},
	{"deferred records forgotten", "azure/alarms.tf", `metric = "Messages"`, `metric = "ActiveMessages"`, "alarms are set"},
	{"alarm tells nobody", "azure/alarms.tf", "actions = [{ actionGroupId = azapi_resource.alarm_group.id }]", "actions = []", "alarms are set"},
	{"no dashboard", "gcp/alarms.tf", `"google_monitoring_dashboard" "onepane"`, `"google_monitoring_dashboard" "other"`, "alarms are set"},
	{"logs for ever", "aws/ingest.tf", "  retention_in_days = var.log_retention_days\n", "", "ceilings are set"},
	{"no ceiling on instances", "gcp/ingest.tf", "      max_instance_count = var.maximum_instances\n", "", "ceilings are set"},
	{"provider in a module", "gcp/versions.tf", "terraform {", "provider \"google\" {}\n\nterraform {", "modules are shaped alike"},
	{"untagged", "aws/queues.tf", "  tags                       = local.tags\n", "", "modules are shaped alike"},
	{"name of its own", "azure/names.tf", `"onepane-${var.tenant_slug}-${local.hash}"`, `"onepane-${var.tenant_slug}"`, "modules are shaped alike"},
}

// TestMutations makes each mistake in a copy and expects the check that is meant for it to say so.
func TestMutations(t *testing.T) {
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, module := range []Module{Azure, AWS, GCP} {
				if err := os.CopyFS(filepath.Join(root, string(module)), os.DirFS(filepath.Join("..", string(module)))); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(root, filepath.FromSlash(m.file))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(b), m.old) {
				t.Fatalf("%s no longer says %q: the mutation proves nothing", m.file, m.old)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(b), m.old, m.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if s := problemsIn(t, root, m.check); len(s) == 0 {
				t.Errorf("the check %q stays green", m.check)
			}
		})
	}
}

// Every check is proven by a mutation.
func TestChecksAreProven(t *testing.T) {
	for name := range checks {
		if !slices.ContainsFunc(mutations, func(m mutation) bool { return m.check == name }) {
			t.Errorf("no mutation for the check %q", name)
		}
	}
}

func problemsIn(t *testing.T, root, check string) []string {
	t.Helper()
	s, err := loadSite(root)
	if err != nil {
		t.Fatal(err)
	}
	checks[check](s)
	return s.problems
}
