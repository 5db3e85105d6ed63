# The bus: one session queue for alerts, one plain queue for what can never be processed.

locals {
  bus_tier = var.enable_private_network ? "Premium" : "Standard"
}

resource "azapi_resource" "bus" {
  type      = "Microsoft.ServiceBus/namespaces@2024-01-01"
  name      = "sb-${local.name}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    # Sessions and duplicate detection begin with Standard, private endpoints with Premium.
    # (merged, not chosen: a conditional of two shapes would make the number a string)
    sku = merge({ name = local.bus_tier, tier = local.bus_tier }, var.enable_private_network ? { capacity = 1 } : {})
    properties = {
      disableLocalAuth    = true
      minimumTlsVersion   = "1.2"
      publicNetworkAccess = var.enable_private_network ? "Disabled" : "Enabled"
    }
  }
}

# Sessions and duplicate detection are fixed at creation: a change would replace the queue and lose what is in it.
resource "azapi_resource" "alerts" {
  type      = "Microsoft.ServiceBus/namespaces/queues@2024-01-01"
  name      = local.queues.alerts
  parent_id = azapi_resource.bus.id
  body = {
    properties = {
      requiresSession                     = true
      requiresDuplicateDetection          = true
      duplicateDetectionHistoryTimeWindow = "PT10M"
      lockDuration                        = "PT5M" # the most there is; the host does not renew a session it reads in batches
      maxDeliveryCount                    = 10
      defaultMessageTimeToLive            = "P14D"
      deadLetteringOnMessageExpiration    = true
      maxSizeInMegabytes                  = 5120
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "azapi_resource" "quarantine" {
  type      = "Microsoft.ServiceBus/namespaces/queues@2024-01-01"
  name      = local.queues.quarantine
  parent_id = azapi_resource.bus.id
  body = {
    properties = {
      requiresSession                  = false
      requiresDuplicateDetection       = false # what is set aside, removed and set aside again must stay
      lockDuration                     = "PT1M"
      maxDeliveryCount                 = 10
      defaultMessageTimeToLive         = "P30D"
      deadLetteringOnMessageExpiration = true
      maxSizeInMegabytes               = 5120
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "azapi_resource" "bus_lock" {
  count     = var.deletion_lock ? 1 : 0
  type      = "Microsoft.Authorization/locks@2020-05-01"
  name      = "keep"
  parent_id = azapi_resource.bus.id
  body = {
    properties = { level = "CanNotDelete", notes = "Alerts that nobody has correlated yet." }
  }
}
