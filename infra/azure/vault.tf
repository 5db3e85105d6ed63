# Secrets of others: webhook signing keys and tokens of export targets. Terraform never sees their values.
resource "azapi_resource" "vault" {
  count     = var.enable_vault ? 1 : 0
  type      = "Microsoft.KeyVault/vaults@2024-11-01"
  name      = "kv-${local.short}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      tenantId                  = var.directory_id
      sku                       = { family = "A", name = "standard" }
      enableRbacAuthorization   = true
      enableSoftDelete          = true
      softDeleteRetentionInDays = 90
      enablePurgeProtection     = true
      publicNetworkAccess       = var.enable_private_network ? "Disabled" : "Enabled"
      networkAcls               = { bypass = "AzureServices", defaultAction = var.enable_private_network ? "Deny" : "Allow" }
    }
  }
}
