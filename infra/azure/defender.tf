# Defender for Cloud: continuous export of each subscription into one event hub, without a connection string.
#
#   Defender ─▶ automation (one a subscription) ─▶ event hub ─▶ ingest-azure

resource "azapi_resource" "hubs" {
  type      = "Microsoft.EventHub/namespaces@2024-01-01"
  name      = "evhns-${local.name}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    sku = { name = "Standard", tier = "Standard", capacity = 1 } # Basic has no consumer group of our own
    properties = {
      disableLocalAuth     = true
      minimumTlsVersion    = "1.2"
      isAutoInflateEnabled = false
      publicNetworkAccess  = var.enable_private_network ? "Disabled" : "Enabled"
    }
  }
}

# Behind the firewall Defender still sends: it is one of the trusted services.
resource "azapi_resource" "hubs_firewall" {
  count     = var.enable_private_network ? 1 : 0
  type      = "Microsoft.EventHub/namespaces/networkRuleSets@2024-01-01"
  name      = "default"
  parent_id = azapi_resource.hubs.id
  body = {
    properties = { defaultAction = "Deny", publicNetworkAccess = "Disabled", trustedServiceAccessEnabled = true }
  }
}

resource "azapi_resource" "hub" {
  type      = "Microsoft.EventHub/namespaces/eventhubs@2024-01-01"
  name      = local.event_hub
  parent_id = azapi_resource.hubs.id
  body = {
    properties = {
      partitionCount = 4
      # A hub has no dead letter: it keeps what ingest-azure failed on for as long as Standard allows.
      messageRetentionInDays = 7
    }
  }
}

resource "azapi_resource" "consumer_group" {
  type      = "Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01"
  name      = local.consumer_group
  parent_id = azapi_resource.hub.id
  body      = { properties = {} }
}

resource "azapi_resource" "defender_export" {
  for_each  = var.defender_subscription_ids
  type      = "Microsoft.Security/automations@2023-12-01-preview"
  name      = "onepane-${var.tenant_slug}-${substr(sha256(each.key), 0, 8)}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      description = "Alerts to Onepane"
      isEnabled   = true
      scopes      = [{ description = "subscription", scopePath = "/subscriptions/${each.key}" }]
      sources     = [{ eventSource = "Alerts", ruleSets = [] }]
      actions = [{
        actionType              = "EventHub"
        eventHubResourceId      = azapi_resource.hub.id
        isTrustedServiceEnabled = true # no connection string: the role below is what lets it in
      }]
    }
  }
  depends_on = [azapi_resource.role]
}
