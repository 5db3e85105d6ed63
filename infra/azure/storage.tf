# Two storage accounts: what the Functions host needs, and the bodies too large for a message. They are apart because
# producers in other clouds may write claims, and nobody but the app may touch its package.

locals {
  storage = {
    host   = { name = "${local.short}h", containers = { packages = "packages" } }
    claims = { name = "${local.short}c", containers = { claims = local.claim_container } }
  }
  claim_days = 45 # longer than a message lives on the queue and then in quarantine
}

resource "azapi_resource" "storage" {
  for_each  = local.storage
  type      = "Microsoft.Storage/storageAccounts@2024-01-01"
  name      = each.value.name
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind = "StorageV2"
    sku  = { name = "Standard_LRS" }
    properties = {
      allowSharedKeyAccess         = false
      allowBlobPublicAccess        = false
      defaultToOAuthAuthentication = true
      minimumTlsVersion            = "TLS1_2"
      supportsHttpsTrafficOnly     = true
      publicNetworkAccess          = var.enable_private_network ? "Disabled" : "Enabled"
      networkAcls                  = { bypass = "AzureServices", defaultAction = var.enable_private_network ? "Deny" : "Allow" }
    }
  }
}

resource "azapi_resource" "blob_container" {
  for_each  = { packages = "host", claims = "claims" }
  type      = "Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01"
  name      = local.storage[each.value].containers[each.key]
  parent_id = "${azapi_resource.storage[each.value].id}/blobServices/default"
  body      = { properties = { publicAccess = "None" } }
}

resource "azapi_resource" "claim_retention" {
  type      = "Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01"
  name      = "default"
  parent_id = azapi_resource.storage["claims"].id
  body = {
    properties = {
      policy = {
        rules = [{
          name    = "expire"
          type    = "Lifecycle"
          enabled = true
          definition = {
            actions = { baseBlob = { delete = { daysAfterCreationGreaterThan = local.claim_days } } }
            filters = { blobTypes = ["blockBlob"], prefixMatch = ["${local.claim_container}/"] }
          }
        }]
      }
    }
  }
}
