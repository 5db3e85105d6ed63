# Who may do what, as one table. infra/contract holds it against its allow list.

locals {
  role_ids = {
    "Storage Blob Data Owner"             = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
    "Storage Blob Data Contributor"       = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    "Azure Service Bus Data Receiver"     = "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"
    "Azure Service Bus Data Sender"       = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"
    "Azure Event Hubs Data Receiver"      = "a638d3c7-ab3a-418d-83e6-5f17a39d4fde"
    "Azure Event Hubs Data Sender"        = "2b629674-e913-4c01-ae53-ef4638d8f975"
    "Key Vault Secrets User"              = "4633458b-17de-408a-b874-0445c86b69e6"
    "Monitoring Metrics Publisher"        = "3913510d-42f4-4e42-8a64-420c390055eb"
    "Cosmos DB Built-in Data Contributor" = "00000000-0000-0000-0000-000000000002"
  }

  app = azapi_resource.app_identity.output.principal_id

  app_roles = {
    app-host-storage       = { principal = local.app, role = "Storage Blob Data Owner", scope = azapi_resource.storage["host"].id }
    app-claims             = { principal = local.app, role = "Storage Blob Data Contributor", scope = azapi_resource.blob_container["claims"].id }
    app-alerts-receive     = { principal = local.app, role = "Azure Service Bus Data Receiver", scope = azapi_resource.alerts.id }
    app-alerts-send        = { principal = local.app, role = "Azure Service Bus Data Sender", scope = azapi_resource.alerts.id }
    app-quarantine-receive = { principal = local.app, role = "Azure Service Bus Data Receiver", scope = azapi_resource.quarantine.id }
    app-quarantine-send    = { principal = local.app, role = "Azure Service Bus Data Sender", scope = azapi_resource.quarantine.id }
    app-hub-receive        = { principal = local.app, role = "Azure Event Hubs Data Receiver", scope = azapi_resource.hub.id }
    app-telemetry          = { principal = local.app, role = "Monitoring Metrics Publisher", scope = azapi_resource.insights.id }
  }
  vault_roles = var.enable_vault ? {
    app-vault = { principal = local.app, role = "Key Vault Secrets User", scope = azapi_resource.vault[0].id }
  } : {}
  # Where exports go: containers that they write, and data collection rules of Sentinel.
  export_roles = merge(
    { for name, id in var.export_containers : "export-container-${name}" => { principal = local.app, role = "Storage Blob Data Contributor", scope = id } },
    { for name, id in var.sentinel_rules : "export-sentinel-${name}" => { principal = local.app, role = "Monitoring Metrics Publisher", scope = id } },
  )
  defender_roles = var.defender_export_principal_id == null ? {} : {
    defender-hub-send = { principal = var.defender_export_principal_id, role = "Azure Event Hubs Data Sender", scope = azapi_resource.hub.id }
  }
  producer_roles = merge([for cloud, _ in local.producers : {
    "${cloud}-alerts-send"     = { principal = azapi_resource.producer_identity[cloud].output.principal_id, role = "Azure Service Bus Data Sender", scope = azapi_resource.alerts.id }
    "${cloud}-quarantine-send" = { principal = azapi_resource.producer_identity[cloud].output.principal_id, role = "Azure Service Bus Data Sender", scope = azapi_resource.quarantine.id }
  }]...)

  roles = merge(local.app_roles, local.vault_roles, local.export_roles, local.defender_roles, local.producer_roles)
}

# The name of an assignment is a GUID: derived, so that a second apply is quiet.
resource "azapi_resource" "role" {
  for_each  = local.roles
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  name      = uuidv5("url", "${each.value.scope}|${each.value.principal}|${each.value.role}")
  parent_id = each.value.scope
  body = {
    properties = {
      principalId      = each.value.principal
      principalType    = "ServicePrincipal"
      roleDefinitionId = "/subscriptions/${var.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/${local.role_ids[each.value.role]}"
    }
  }
}

# Data-plane roles of Cosmos DB are no Azure roles: they live in the account, and give no right to make containers.
resource "azapi_resource" "cosmos_role" {
  type      = "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15"
  name      = uuidv5("url", "${azapi_resource.database.id}|${local.app}|data contributor")
  parent_id = azapi_resource.cosmos.id
  body = {
    properties = {
      principalId      = local.app
      roleDefinitionId = "${azapi_resource.cosmos.id}/sqlRoleDefinitions/${local.role_ids["Cosmos DB Built-in Data Contributor"]}"
      scope            = "${azapi_resource.cosmos.id}/dbs/${local.database}"
    }
  }
  depends_on = [azapi_resource.database]
}

# Producers may add claims and do nothing else with them, which no built-in role says.
resource "azapi_resource" "claim_writer" {
  count     = length(local.producers) > 0 ? 1 : 0
  type      = "Microsoft.Authorization/roleDefinitions@2022-04-01"
  name      = uuidv5("url", "${azapi_resource.group.id}|claim writer")
  parent_id = azapi_resource.group.id
  body = {
    properties = {
      roleName         = "Onepane claim writer ${local.name}"
      description      = "Writes bodies too large for a message; reads, lists and deletes none."
      type             = "CustomRole"
      assignableScopes = [azapi_resource.group.id]
      permissions = [{
        actions        = []
        notActions     = []
        dataActions    = ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"]
        notDataActions = []
      }]
    }
  }
}

resource "azapi_resource" "claim_role" {
  for_each  = local.producers
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  name      = uuidv5("url", "${azapi_resource.blob_container["claims"].id}|${azapi_resource.producer_identity[each.key].output.principal_id}|claim writer")
  parent_id = azapi_resource.blob_container["claims"].id
  body = {
    properties = {
      principalId      = azapi_resource.producer_identity[each.key].output.principal_id
      principalType    = "ServicePrincipal"
      roleDefinitionId = azapi_resource.claim_writer[0].id
    }
  }
}
