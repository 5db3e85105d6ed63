# The function app: one binary behind the Functions host, on Flex Consumption. The triggers are in app/.

locals {
  # Settings the binary reads; infra/contract/settings.go lists them all.
  settings = merge(
    {
      ONEPANE_TENANT           = var.tenant_slug
      ONEPANE_LOG_JSON         = "true"
      ONEPANE_BUS_NAMESPACE    = "${azapi_resource.bus.name}.servicebus.windows.net"
      ONEPANE_BUS_RESOURCE     = azapi_resource.bus.id
      ONEPANE_BUS_QUEUE        = local.queues.alerts
      ONEPANE_QUARANTINE_QUEUE = local.queues.quarantine
      ONEPANE_CLAIM_CONTAINER  = "https://${azapi_resource.storage["claims"].name}.blob.core.windows.net/${local.claim_container}"
      ONEPANE_COSMOS_ENDPOINT  = "https://${azapi_resource.cosmos.name}.documents.azure.com:443/"
      ONEPANE_COSMOS_DATABASE  = local.database
      ONEPANE_AZURE_TENANT_ID  = var.directory_id
      ONEPANE_AZURE_CLIENT_ID  = azapi_resource.app_identity.output.client_id
    },
    local.api_audience == null ? {} : { ONEPANE_API_AUDIENCE = local.api_audience },
    var.retention_days == 0 ? {} : { ONEPANE_RETENTION_DAYS = tostring(var.retention_days) },
    var.configuration == null ? {} : { ONEPANE_CONFIG_YAML = var.configuration },
    var.settings,
  )

  # Settings the Functions host reads: an identity for each connection that a function.json names, and no key anywhere.
  connections = {
    AzureWebJobsStorage__accountName          = azapi_resource.storage["host"].name
    AzureWebJobsStorage__credential           = "managedidentity"
    AzureWebJobsStorage__clientId             = azapi_resource.app_identity.output.client_id
    ServiceBus__fullyQualifiedNamespace       = "${azapi_resource.bus.name}.servicebus.windows.net"
    ServiceBus__credential                    = "managedidentity"
    ServiceBus__clientId                      = azapi_resource.app_identity.output.client_id
    EventHubs__fullyQualifiedNamespace        = "${azapi_resource.hubs.name}.servicebus.windows.net"
    EventHubs__credential                     = "managedidentity"
    EventHubs__clientId                       = azapi_resource.app_identity.output.client_id
    APPLICATIONINSIGHTS_CONNECTION_STRING     = azapi_resource.insights.output.connection_string # says where, opens nothing: local auth is off
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${azapi_resource.app_identity.output.client_id};Authorization=AAD"
    AzureWebJobsDisableHomepage               = "true" # "/" is the portal's
    ExportSchedule                            = var.export_schedule
  }

  # Secrets that the configuration refers to as env:NAME. The platform fetches them from the vault; they are in no state.
  vault_references = { for name, secret in var.vault_secrets : name => "@Microsoft.KeyVault(VaultName=${azapi_resource.vault[0].name};SecretName=${secret})" }
}

resource "azapi_resource" "plan" {
  type      = "Microsoft.Web/serverfarms@2024-11-01"
  name      = "plan-${local.name}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind       = "functionapp"
    sku        = { tier = "FlexConsumption", name = "FC1" }
    properties = { reserved = true }
  }
}

resource "azapi_resource" "app" {
  type      = "Microsoft.Web/sites@2024-11-01"
  name      = "func-${local.name}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  identity {
    type         = "UserAssigned"
    identity_ids = [azapi_resource.app_identity.id]
  }
  body = {
    kind = "functionapp,linux"
    properties = merge({
      serverFarmId              = azapi_resource.plan.id
      httpsOnly                 = true
      keyVaultReferenceIdentity = azapi_resource.app_identity.id
      publicNetworkAccess       = var.enable_private_network && var.private_inbound ? "Disabled" : "Enabled"
      functionAppConfig = {
        runtime = { name = "custom", version = "1.0" }
        deployment = {
          storage = {
            type  = "blobContainer"
            value = "https://${azapi_resource.storage["host"].name}.blob.core.windows.net/${local.storage.host.containers.packages}"
            authentication = {
              type                           = "UserAssignedIdentity"
              userAssignedIdentityResourceId = azapi_resource.app_identity.id
            }
          }
        }
        scaleAndConcurrency = {
          maximumInstanceCount = var.maximum_instances
          instanceMemoryMB     = var.instance_memory_mb
          alwaysReady          = []
          triggers             = { http = { perInstanceConcurrency = 16 } }
        }
      }
      # In the site itself: as a resource of their own, settings drift for ever (azapi issue 1167).
      siteConfig = {
        minTlsVersion = "1.2"
        appSettings   = [for k, v in merge(local.settings, local.connections, local.vault_references) : { name = k, value = v }]
      }
    }, var.enable_private_network ? { virtualNetworkSubnetId = azapi_resource.subnet["app"].id } : {})
  }
  # The host reads its storage at the first start: a missing role then looks like a broken app.
  depends_on = [azapi_resource.role, azapi_resource.cosmos_role, azapi_resource.blob_container]
}

# Passwords for FTP and Kudu stay off; packages come with an Entra token.
resource "azapi_resource" "no_password" {
  for_each  = toset(["ftp", "scm"])
  type      = "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01"
  name      = each.key
  parent_id = azapi_resource.app.id
  body      = { properties = { allow = false } }
}
