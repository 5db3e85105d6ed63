package contract

import (
	"maps"
	"slices"
	"strings"
)

// alarms are what must wake someone up, by module and table.
var alarms = map[Module]map[string][]string{
	Azure: {
		"metric_alarms": {"backlog-size", "bus-throttled", "dead-letters", "hub-throttled", "quarantine", "store-throttled"},
		"log_alarms":    {"api-failures", "backlog-age", "export-failures", "function-failures", "partition-hot", "partition-size"},
	},
	AWS: {"alarms": {"backlog-age", "dead-letters", "forward-dead-letters-${region}", "function-failures", "function-throttled"}},
	GCP: {"alarms": {"backlog-age", "dead-letters", "service-failures", "service-throttled"}},
}

// checkAlarms: backlog age, quarantine, failures and throttles are watched, and told to someone.
func checkAlarms(s *site) {
	for m, tables := range alarms {
		for table, want := range tables {
			rows, _ := s.modules[m].locals[table].(map[string]any)
			if got := slices.Sorted(maps.Keys(rows)); !slices.Equal(got, want) {
				s.addProblem("%s: %s are %v, want %v", m, table, got, want)
			}
		}
	}
	for name, table := range map[string]string{"metric_alarm": "metric_alarms", "log_alarm": "log_alarms"} {
		a := s.findResource(Azure, "azapi_resource", name)
		s.expectAttributes(Azure, a, map[string]any{"for_each": ref("local." + table), "body.properties.enabled": true})
		if tells := textsOf(a.attribute("body", "properties", "actions", "actionGroupId")); table == "metric_alarms" && !slices.Equal(tells, []string{"azapi_resource.alarm_group.id"}) {
			s.addProblem("azure: %s tells %v", a, tells)
		}
	}
	if tells := textsOf(s.findResource(Azure, "azapi_resource", "log_alarm").attribute("body", "properties", "actions", "actionGroups")); !slices.Equal(tells, []string{"azapi_resource.alarm_group.id"}) {
		s.addProblem("azure: log_alarm tells %v", tells)
	}
	s.checkQuestions()
	a := s.findResource(AWS, "aws_cloudwatch_metric_alarm", "alarm")
	s.expectAttributes(AWS, a, map[string]any{"for_each": ref("local.alarms"), "threshold": ref("each.value.above")})
	if !strings.Contains(textOf(a.attribute("alarm_actions")), "var.alarm_topic_arns") {
		s.addProblem("aws: %s tells nobody", a)
	}
	s.expectAttributes(GCP, s.findResource(GCP, "google_monitoring_alert_policy", "alarm"), map[string]any{
		"for_each": ref("local.alarms"), "notification_channels": ref("var.notification_channels")})
	s.findResource(Azure, "azapi_resource", "dashboard")
	s.findResource(AWS, "aws_cloudwatch_dashboard", "onepane")
	s.findResource(GCP, "google_monitoring_dashboard", "onepane")
}

// checkQuestions: what an alarm asks of the logs is written there.
func (s *site) checkQuestions() {
	if got := textsOf(s.findResource(Azure, "azapi_resource", "log_alarm").attribute("body", "properties", "scopes")); !slices.Equal(got, []string{"local.log_sources[each.value.of].scope"}) {
		s.addProblem("azure: log_alarm asks %v", got)
	}
	diagnostics, _ := s.findResource(Azure, "azapi_resource", "diagnostics").attribute("for_each", "store", "categories").([]any)
	rows, _ := s.modules[Azure].locals["log_alarms"].(map[string]any)
	for name, row := range rows {
		query := textOf(valueAt(row, "query"))
		table, _, _ := strings.Cut(strings.Trim(query, `"`), " ")
		of := valueAt(row, "of")
		category, store := strings.CutPrefix(table, "CDB")
		switch {
		case store && (of != "store" || !slices.Contains(diagnostics, any(category))):
			s.addProblem("azure: alarm %s asks %v for %s, which the store's diagnostics do not send", name, of, category)
		case !store && (of != "app" || table != "requests" && table != "traces"):
			s.addProblem("azure: alarm %s asks %v for %s", name, of, table)
		}
	}
	q, _ := s.modules[Azure].locals["metric_alarms"].(map[string]any)
	if metric := valueAt(q["quarantine"], "metric"); metric != "Messages" {
		s.addProblem("azure: alarm quarantine counts %v, and removing a record defers others, which only Messages counts", metric)
	}
}

// checkCeilings: what runs, logs or costs without end has an end.
func checkCeilings(s *site) {
	for m, rows := range map[Module][]struct {
		kind, name, path string
		want             any
	}{
		Azure: {
			{"azapi_resource", "app", "body.properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount", ref("var.maximum_instances")},
			{"azapi_resource", "workspace", "body.properties.workspaceCapping.dailyQuotaGb", ref("var.log_daily_quota_gb")},
			{"azapi_resource", "workspace", "body.properties.retentionInDays", ref("var.log_retention_days")},
			{"azapi_resource", "hubs", "body.properties.isAutoInflateEnabled", false},
			{"azapi_resource", "budget", "body.properties.amount", ref("var.budget.amount")},
		},
		AWS: {
			{"aws_cloudwatch_log_group", "ingest", "retention_in_days", ref("var.log_retention_days")},
			{"aws_lambda_event_source_mapping", "findings", "scaling_config.maximum_concurrency", ref("var.maximum_concurrency")},
			{"aws_lambda_function", "ingest", "logging_config.log_group", ref("aws_cloudwatch_log_group.ingest.name")},
			{"aws_budgets_budget", "onepane", "limit_amount", ref("tostring(var.budget.amount)")},
		},
		GCP: {
			{"google_cloud_run_v2_service", "ingest", "template.scaling.max_instance_count", ref("var.maximum_instances")},
			{"google_cloud_run_v2_service", "ingest", "deletion_protection", ref("var.deletion_protection")},
			{"google_billing_budget", "onepane", "amount.specified_amount.units", ref("tostring(var.budget.amount)")},
		},
	} {
		for _, r := range rows {
			s.expectAttributes(m, s.findResource(m, r.kind, r.name), map[string]any{r.path: r.want})
		}
	}
	for _, name := range []string{"bus_lock", "cosmos_lock"} {
		s.expectAttributes(Azure, s.findResource(Azure, "azapi_resource", name), map[string]any{"body.properties.level": "CanNotDelete", "count": ref("var.deletion_lock ? 1 : 0")})
	}
}

// untagged are kinds that take no tags in the resource itself.
var untaggedARM = []string{
	"Microsoft.ServiceBus/namespaces/queues", "Microsoft.DocumentDB/databaseAccounts/sqlDatabases", "Microsoft.EventHub/namespaces/",
	"Microsoft.Storage/storageAccounts/", "Microsoft.ManagedIdentity/userAssignedIdentities/", "Microsoft.Authorization/", "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments",
	"Microsoft.Insights/diagnosticSettings", "Microsoft.Network/virtualNetworks/", "Microsoft.Network/privateDnsZones/", "Microsoft.Network/privateEndpoints/", "Microsoft.Consumption/", "Microsoft.Web/sites/",
}

// checkShape: a module brings no provider, is versioned, names everything after the tenant and tags what takes tags.
func checkShape(s *site) {
	for name, m := range s.modules {
		versioned := false
		for _, b := range m.blocks {
			switch b.Type {
			case "provider":
				s.addProblem("%s: a provider block inside a module", name)
			case "terraform":
				_, versioned = b.Body.Attributes["required_version"]
			case "variable", "output":
				if b.Body.Attributes["description"] == nil {
					s.addProblem("%s: %s %s has no description", name, b.Type, b.Labels[0])
				}
			}
		}
		if !versioned {
			s.addProblem("%s: no required_version", name)
		}
	}
	for _, r := range s.modules[Azure].resourcesOf("azapi_resource") {
		none := slices.ContainsFunc(untaggedARM, func(p string) bool { return strings.HasPrefix(r.armType(), p) })
		if !none && r.attribute("tags") != ref("local.tags") {
			s.addProblem("azure: %s has no tags", r)
		}
		if t, _ := r.attribute("type").(string); !strings.Contains(t, "@20") {
			s.addProblem("azure: %s: type %q names no API version", r, t)
		}
	}
	for _, kind := range []string{"aws_lambda_function", "aws_sqs_queue", "aws_iam_role", "aws_cloudwatch_event_rule", "aws_cloudwatch_event_bus", "aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm", "aws_budgets_budget"} {
		for _, r := range s.modules[AWS].resourcesOf(kind) {
			s.expectAttributes(AWS, r, map[string]any{"tags": ref("local.tags")})
		}
	}
	for _, kind := range []string{"google_pubsub_topic", "google_pubsub_subscription", "google_cloud_run_v2_service"} {
		for _, r := range s.modules[GCP].resourcesOf(kind) {
			s.expectAttributes(GCP, r, map[string]any{"labels": ref("local.labels")})
		}
	}
	for m, slug := range map[Module]string{Azure: "var.subscription_id", AWS: "var.account_id", GCP: "var.project_id"} {
		locals := s.modules[m].locals
		if locals["name"] != ref(`"onepane-${var.tenant_slug}-${local.hash}"`) || locals["hash"] != ref(`substr(sha256("${`+slug+`}/${var.tenant_slug}"), 0, 6)`) {
			s.addProblem("%s: names do not derive from the tenant: %v, %v", m, locals["name"], locals["hash"])
		}
	}
}
