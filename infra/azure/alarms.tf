# What wakes someone up, and the page they look at then.

locals {
  # Platform metrics. Dimensions narrow a namespace to one queue, an account to one status code.
  metric_alarms = {
    backlog-size = {
      about     = "Alerts wait longer than a burst lasts: correlate is down, throttled or too slow."
      scope     = azapi_resource.bus.id, namespace = "Microsoft.ServiceBus/namespaces", metric = "ActiveMessages"
      aggregate = "Average", above = 1000, window = "PT15M", severity = 2
      dimension = { name = "EntityName", value = local.queues.alerts }
    }
    dead-letters = {
      about     = "Messages failed every delivery or expired. Replay them: infra/README.md, replay quarantine."
      scope     = azapi_resource.bus.id, namespace = "Microsoft.ServiceBus/namespaces", metric = "DeadletteredMessages"
      aggregate = "Maximum", above = 0, window = "PT5M", severity = 2
      dimension = { name = "EntityName", value = "*" }
    }
    quarantine = {
      # All messages: removing one record defers those before it, and deferred ones are not active.
      about     = "Records that can never be processed as they are wait for someone to look."
      scope     = azapi_resource.bus.id, namespace = "Microsoft.ServiceBus/namespaces", metric = "Messages"
      aggregate = "Maximum", above = 0, window = "PT15M", severity = 3
      dimension = { name = "EntityName", value = local.queues.quarantine }
    }
    bus-throttled = {
      about     = "Service Bus refuses for lack of credits: batch more, or Premium."
      scope     = azapi_resource.bus.id, namespace = "Microsoft.ServiceBus/namespaces", metric = "ThrottledRequests"
      aggregate = "Total", above = 0, window = "PT5M", severity = 2
      dimension = { name = "EntityName", value = "*" }
    }
    store-throttled = {
      about     = "Cosmos DB answers 429 more than now and then: a hot tenant, or too low a ceiling."
      scope     = azapi_resource.cosmos.id, namespace = "Microsoft.DocumentDB/databaseAccounts", metric = "TotalRequests"
      aggregate = "Count", above = 100, window = "PT5M", severity = 2
      dimension = { name = "StatusCode", value = "429" }
    }
    hub-throttled = {
      about     = "One throughput unit is not enough for what Defender sends."
      scope     = azapi_resource.hubs.id, namespace = "Microsoft.EventHub/namespaces", metric = "ThrottledRequests"
      aggregate = "Total", above = 0, window = "PT5M", severity = 3
      dimension = { name = "EntityName", value = "*" }
    }
  }

  # What one logical partition can do: 20 GB and 10,000 RU/s (Azure Cosmos DB service quotas); serverless, what a container does.
  partition_kb  = 20 * 1024 * 1024
  partition_rus = var.cosmos_max_throughput == null ? 5000 : 10000

  # Where questions are put: the app's telemetry, and the tables of the store's diagnostics.
  log_sources = {
    app   = { scope = azapi_resource.insights.id, kind = "microsoft.insights/components", time = "timestamp" }
    store = { scope = azapi_resource.workspace.id, kind = "microsoft.operationalinsights/workspaces", time = "TimeGenerated" }
  }

  # Questions to the logs: what no platform metric says.
  log_alarms = {
    backlog-age = {
      of    = "app"
      about = "The oldest alerts of a batch waited more than five minutes on the bus."
      query = "requests | where name == 'correlate' | extend waited = todouble(customMeasurements.timeSinceEnqueued) | where waited > 300000"
      above = 0, window = "PT15M", severity = 2
    }
    function-failures = {
      of    = "app"
      about = "Invocations fail: look at their exceptions."
      query = "requests | where success == false and name in ('ingest-azure', 'correlate', 'export')"
      above = 5, window = "PT15M", severity = 2
    }
    api-failures = {
      of    = "app"
      about = "The API or the webhook answers 5xx."
      query = "requests | where name in ('api', 'ingest-webhook') and toint(resultCode) >= 500"
      above = 5, window = "PT15M", severity = 3
    }
    export-failures = {
      of    = "app"
      about = "A receiver of alerts and incidents refuses or does not answer: onepane exports says which, and why."
      query = "traces | where message has 'export failed and will be tried again'"
      above = 3, window = "PT30M", severity = 3
    }
    partition-size = {
      of    = "store"
      about = "A partition is three quarters full, which should not happen; at 20 GB nothing more can be written to it. See infra/README.md, what it costs."
      query = "CDBPartitionKeyStatistics | where SizeKb > ${floor(local.partition_kb * 0.75)}"
      above = 0, window = "P1D", severity = 2
    }
    partition-hot = {
      of    = "store"
      about = "A tenant uses three quarters of what one partition serves for a minute on end: its alerts will wait."
      query = "CDBPartitionKeyRUConsumption | summarize charge = sum(todouble(RequestCharge)) by PartitionKey, CollectionName, bin(TimeGenerated, 1m) | where charge > ${60 * local.partition_rus * 0.75}"
      above = 0, window = "PT15M", severity = 2
    }
  }
}

resource "azapi_resource" "alarm_group" {
  type      = "Microsoft.Insights/actionGroups@2023-01-01"
  name      = "ag-${local.name}"
  parent_id = azapi_resource.group.id
  location  = "global"
  tags      = local.tags
  body = {
    properties = {
      enabled        = true
      groupShortName = "onepane"
      emailReceivers = [for e in var.alarm_emails : { name = e, emailAddress = e, useCommonAlertSchema = true }]
    }
  }
}

resource "azapi_resource" "metric_alarm" {
  for_each  = local.metric_alarms
  type      = "Microsoft.Insights/metricAlerts@2018-03-01"
  name      = "alarm-${local.name}-${each.key}"
  parent_id = azapi_resource.group.id
  location  = "global"
  tags      = local.tags
  body = {
    properties = {
      description         = each.value.about
      enabled             = true
      autoMitigate        = true
      severity            = each.value.severity
      scopes              = [each.value.scope]
      evaluationFrequency = "PT5M"
      windowSize          = each.value.window
      criteria = {
        "odata.type" = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
        allOf = [{
          name            = each.key
          criterionType   = "StaticThresholdCriterion"
          metricNamespace = each.value.namespace
          metricName      = each.value.metric
          timeAggregation = each.value.aggregate
          operator        = "GreaterThan"
          threshold       = each.value.above
          dimensions      = [{ name = each.value.dimension.name, operator = "Include", values = [each.value.dimension.value] }]
        }]
      }
      actions = [{ actionGroupId = azapi_resource.alarm_group.id }]
    }
  }
}

resource "azapi_resource" "log_alarm" {
  for_each  = local.log_alarms
  type      = "Microsoft.Insights/scheduledQueryRules@2023-12-01"
  name      = "alarm-${local.name}-${each.key}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind = "LogAlert"
    properties = {
      displayName         = each.key
      description         = each.value.about
      enabled             = true
      autoMitigate        = true
      severity            = each.value.severity
      scopes              = [local.log_sources[each.value.of].scope]
      evaluationFrequency = each.value.window == "P1D" ? "PT1H" : "PT5M"
      windowSize          = each.value.window
      skipQueryValidation = each.value.of == "store" # its tables come with the first log line
      criteria = {
        allOf = [{
          query           = each.value.query
          timeAggregation = "Count"
          operator        = "GreaterThan"
          threshold       = each.value.above
          failingPeriods  = { numberOfEvaluationPeriods = 1, minFailingPeriodsToAlert = 1 }
        }]
      }
      actions = { actionGroups = [azapi_resource.alarm_group.id] }
    }
  }
}

# One page: backlog, quarantine, throttles, failures.
resource "azapi_resource" "dashboard" {
  type      = "Microsoft.Insights/workbooks@2023-06-01"
  name      = uuidv5("url", "${local.name}/workbook")
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind = "shared"
    properties = {
      displayName = "Onepane ${var.tenant_slug}"
      category    = "workbook"
      sourceId    = azapi_resource.insights.id
      serializedData = jsonencode({
        version = "Notebook/1.0"
        items = concat(
          [for k, a in local.metric_alarms : {
            type = 10
            name = k
            content = {
              version      = "MetricsItem/2.0"
              chartId      = k
              title        = k
              chartType    = 2
              resourceType = lower(a.namespace)
              resourceIds  = [a.scope]
              timeContext  = { durationMs = 86400000 }
              metrics      = [{ namespace = lower(a.namespace), metric = "${lower(a.namespace)}--${a.metric}", aggregation = { Total = 1, Maximum = 3, Average = 4, Count = 7 }[a.aggregate], splitBy = a.dimension.name }]
            }
          }],
          [for k, a in local.log_alarms : {
            type = 3
            name = k
            content = {
              version                 = "KqlItem/1.0"
              title                   = k
              query                   = "${a.query} | summarize count() by bin(${local.log_sources[a.of].time}, 5m)"
              size                    = 0
              queryType               = 0
              resourceType            = local.log_sources[a.of].kind
              visualization           = "timechart"
              timeContext             = { durationMs = 86400000 }
              crossComponentResources = [local.log_sources[a.of].scope]
            }
          }],
        )
      })
    }
  }
}
