# Logs and metrics, with a ceiling a day, retention, and no key that opens them.

resource "azapi_resource" "workspace" {
  type      = "Microsoft.OperationalInsights/workspaces@2023-09-01"
  name      = "log-${local.name}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      sku              = { name = "PerGB2018" }
      retentionInDays  = var.log_retention_days
      workspaceCapping = { dailyQuotaGb = var.log_daily_quota_gb }
      features         = { disableLocalAuth = true }
    }
  }
}

resource "azapi_resource" "insights" {
  type      = "Microsoft.Insights/components@2020-02-02"
  name      = "appi-${local.name}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind = "web"
    properties = {
      Application_Type    = "web"
      WorkspaceResourceId = azapi_resource.workspace.id
      DisableLocalAuth    = true
    }
  }
  response_export_values = { connection_string = "properties.ConnectionString" }
}

# What was refused, throttled or changed in the bus and the store, for whoever asks later.
resource "azapi_resource" "diagnostics" {
  for_each = {
    bus   = { id = azapi_resource.bus.id, categories = ["OperationalLogs"] }
    store = { id = azapi_resource.cosmos.id, categories = ["PartitionKeyRUConsumption", "PartitionKeyStatistics", "ControlPlaneRequests"] }
  }
  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  name      = "onepane"
  parent_id = each.value.id
  body = {
    properties = {
      workspaceId                 = azapi_resource.workspace.id
      logAnalyticsDestinationType = "Dedicated"
      logs                        = [for c in each.value.categories : { category = c, enabled = true }]
    }
  }
}
