# Who acts: the app, and one identity for each producer in another cloud. No identity has a secret.

locals {
  producers = merge(
    var.enable_aws ? { aws = { issuer = var.aws_issuer, subject = var.aws_subject } } : {},
    var.enable_gcp ? { gcp = { issuer = "https://accounts.google.com", subject = var.gcp_subject } } : {},
  )
}

resource "azapi_resource" "app_identity" {
  type                   = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
  name                   = "id-${local.name}-app"
  parent_id              = azapi_resource.group.id
  location               = var.location
  tags                   = local.tags
  body                   = {}
  response_export_values = { client_id = "properties.clientId", principal_id = "properties.principalId" }
}

resource "azapi_resource" "producer_identity" {
  for_each               = local.producers
  type                   = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
  name                   = "id-${local.name}-ingest-${each.key}"
  parent_id              = azapi_resource.group.id
  location               = var.location
  tags                   = local.tags
  body                   = {}
  response_export_values = { client_id = "properties.clientId", principal_id = "properties.principalId" }
}

# Issuer, subject and audience are matched exactly, case included. One credential an identity: creating several of one
# identity at once conflicts.
resource "azapi_resource" "producer_trust" {
  for_each  = local.producers
  type      = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30"
  name      = "ingest-${each.key}"
  parent_id = azapi_resource.producer_identity[each.key].id
  body = {
    properties = {
      issuer    = each.value.issuer
      subject   = each.value.subject
      audiences = ["api://AzureADTokenExchange"]
    }
  }
}
