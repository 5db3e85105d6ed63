locals {
  hash  = substr(sha256("${var.subscription_id}/${var.tenant_slug}"), 0, 6)
  name  = "onepane-${var.tenant_slug}-${local.hash}"
  short = "op${substr(replace(var.tenant_slug, "-", ""), 0, 12)}${local.hash}" # storage accounts: 24 characters, no dash
  tags  = merge(var.tags, { application = "onepane", tenant = var.tenant_slug })

  # Names that the code knows too; infra/contract holds the two against each other.
  queues = {
    alerts     = "alerts"
    quarantine = "quarantine"
  }
  database        = "onepane"
  claim_container = "claims"
  event_hub       = "defender"
  consumer_group  = "ingest-azure"
}

resource "azapi_resource" "group" {
  type      = "Microsoft.Resources/resourceGroups@2024-03-01"
  name      = "rg-${local.name}"
  parent_id = "/subscriptions/${var.subscription_id}"
  location  = var.location
  tags      = local.tags
  body      = {}
}
