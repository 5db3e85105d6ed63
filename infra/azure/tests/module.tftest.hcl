# The module as planned, without a cloud: what is made, what is not, and what is refused.

mock_provider "azapi" {
  mock_resource "azapi_resource" {
    defaults = {
      id     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
      output = { client_id = "00000000-0000-0000-0000-0000000000c1", principal_id = "00000000-0000-0000-0000-0000000000a1", connection_string = "none" }
    }
    override_during = plan
  }
}

mock_provider "azuread" {}

variables {
  tenant_slug     = "contoso"
  subscription_id = "00000000-0000-0000-0000-000000000001"
  directory_id    = "00000000-0000-0000-0000-000000000002"
  location        = "westeurope"
}

run "azure_alone" {
  command = plan

  assert {
    condition     = azapi_resource.alerts.body.properties.requiresSession && !azapi_resource.quarantine.body.properties.requiresSession
    error_message = "Sessions on alerts, none on quarantine."
  }
  assert {
    condition     = azapi_resource.bus.body.sku.name == "Standard" && azapi_resource.bus.body.properties.publicNetworkAccess == "Enabled"
    error_message = "The open form is Standard."
  }
  assert {
    condition     = toset(keys(azapi_resource.container)) == toset(["state", "blobs"])
    error_message = "Two containers."
  }
  assert {
    condition     = azapi_resource.container["blobs"].body.properties.resource.partitionKey.kind == "MultiHash" && azapi_resource.container["state"].body.properties.resource.partitionKey.kind == "Hash"
    error_message = "Two paths are a hierarchical key."
  }
  assert {
    condition     = azapi_resource.cosmos.body.properties.capabilities[0].name == "EnableServerless" && length(azapi_resource.database.body.properties.options) == 0
    error_message = "Serverless unless a throughput is given."
  }
  assert {
    condition     = length(azapi_resource.producer_identity) == 0 && length(azapi_resource.claim_writer) == 0 && length(azapi_resource.network) == 0 && length(azapi_resource.vault) == 0 && length(azapi_resource.budget) == 0 && length(azapi_resource.defender_export) == 0
    error_message = "Nothing is made that nobody asked for."
  }
  assert {
    condition     = length(azapi_resource.role) == 8
    error_message = "Eight roles of the app, no more."
  }
  assert {
    condition     = { for s in azapi_resource.app.body.properties.siteConfig.appSettings : s.name => s.value }["ONEPANE_BUS_QUEUE"] == "alerts"
    error_message = "Settings reach the app."
  }
  assert {
    condition     = length(azapi_resource.app.name) <= 60 && length(azapi_resource.storage["host"].name) <= 24 && length(azapi_resource.cosmos.name) <= 44 && length(azapi_resource.bus.name) <= 50
    error_message = "Names stay within Azure's limits."
  }
}

run "longest_name" {
  command = plan
  variables {
    tenant_slug  = "abcdefghijklmn-p"
    enable_vault = true
  }
  assert {
    condition     = length(azapi_resource.storage["host"].name) <= 24 && can(regex("^[a-z0-9]+$", azapi_resource.storage["claims"].name)) && length(azapi_resource.vault[0].name) <= 24 && length(azapi_resource.cosmos.name) <= 44
    error_message = "Names stay within Azure's limits."
  }
}

run "three_clouds" {
  command = plan
  variables {
    enable_aws            = true
    aws_issuer            = "https://0a1b2c3d-0000-0000-0000-000000000000.tokens.sts.global.api.aws"
    aws_subject           = "arn:aws:iam::111122223333:role/onepane-contoso-0a1b2c-ingest-aws"
    enable_gcp            = true
    gcp_subject           = "123456789012345678901"
    cosmos_max_throughput = 4000
    budget                = { amount = 500, start = "2026-12-01", emails = ["soc@contoso.example"] }
  }
  assert {
    condition     = azapi_resource.producer_trust["aws"].body.properties.subject == var.aws_subject && azapi_resource.producer_trust["gcp"].body.properties.issuer == "https://accounts.google.com"
    error_message = "Each producer is trusted by its own issuer and subject."
  }
  assert {
    condition     = length(azapi_resource.role) == 12 && length(azapi_resource.claim_role) == 2
    error_message = "Each producer may send to two queues and write claims."
  }
  assert {
    condition     = length(azapi_resource.cosmos.body.properties.capabilities) == 0 && azapi_resource.database.body.properties.options.autoscaleSettings.maxThroughput == 4000 && azapi_resource.cosmos.body.properties.capacity.totalThroughputLimit == 4000
    error_message = "Autoscale has the ceiling that was given."
  }
  assert {
    condition     = azapi_resource.budget[0].body.properties.notifications["at80"].thresholdType == "Forecasted"
    error_message = "Told before the money is gone."
  }
}

run "defender" {
  command = plan
  variables {
    defender_subscription_ids    = ["00000000-0000-0000-0000-000000000001"]
    defender_export_principal_id = "00000000-0000-0000-0000-0000000000d1"
  }
  assert {
    condition     = azapi_resource.defender_export["00000000-0000-0000-0000-000000000001"].body.properties.actions[0].isTrustedServiceEnabled
    error_message = "Export needs no connection string."
  }
}

run "private" {
  command = plan
  variables {
    enable_private_network = true
    private_inbound        = true
    enable_vault           = true
  }
  assert {
    condition = alltrue([for r in [azapi_resource.bus, azapi_resource.hubs, azapi_resource.cosmos, azapi_resource.storage["host"], azapi_resource.storage["claims"], azapi_resource.vault[0], azapi_resource.app] :
    r.body.properties.publicNetworkAccess == "Disabled"]) && azapi_resource.bus.body.sku == { name = "Premium", tier = "Premium", capacity = 1 }
    error_message = "Nothing is left open."
  }
  assert {
    condition     = length(azapi_resource.endpoint) == 7 && length(azapi_resource.zone) == 5
    error_message = "Each closed service has its endpoint."
  }
  assert {
    condition     = can(azapi_resource.app.body.properties.virtualNetworkSubnetId)
    error_message = "The app leaves through its subnet."
  }
}

run "entra_application" {
  command = plan
  variables {
    create_entra_app = true
  }
  assert {
    condition     = length(azuread_application.api[0].app_role) == 6 && azuread_service_principal.api[0].app_role_assignment_required
    error_message = "Six roles, for whom they are assigned to."
  }
  assert {
    condition     = { for s in azapi_resource.app.body.properties.siteConfig.appSettings : s.name => s.value }["ONEPANE_API_AUDIENCE"] == output.api_audience
    error_message = "The API knows its audience."
  }
}

run "exports" {
  command = plan
  variables {
    enable_vault      = true
    configuration     = "exports: [{name: hook, tenant: contoso, target: webhook, options: {url: https://hook.contoso.example}, secrets: [env:HOOK_KEY]}]"
    vault_secrets     = { HOOK_KEY = "hook-key" }
    export_schedule   = "*/30 * * * * *"
    export_containers = { lake = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/lake/blobServices/default/containers/onepane" }
    sentinel_rules    = { soc = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Insights/dataCollectionRules/dcr-onepane" }
  }
  assert {
    condition     = azapi_resource.role["export-container-lake"].parent_id == var.export_containers.lake && azapi_resource.role["export-sentinel-soc"].parent_id == var.sentinel_rules.soc && length(azapi_resource.role) == 11
    error_message = "The app may write where its exports go, and nowhere beside."
  }
  assert {
    condition     = startswith({ for s in azapi_resource.app.body.properties.siteConfig.appSettings : s.name => s.value }["HOOK_KEY"], "@Microsoft.KeyVault(VaultName=kv-") && azapi_resource.app.body.properties.keyVaultReferenceIdentity == azapi_resource.app_identity.id
    error_message = "Secrets are references that the app's identity resolves."
  }
  assert {
    condition     = { for s in azapi_resource.app.body.properties.siteConfig.appSettings : s.name => s.value }["ExportSchedule"] == "*/30 * * * * *" && { for s in azapi_resource.app.body.properties.siteConfig.appSettings : s.name => s.value }["ONEPANE_CONFIG_YAML"] == var.configuration
    error_message = "Schedule and configuration reach the app."
  }
}

run "retention" {
  command = plan
  variables {
    retention_days = 365
  }
  assert {
    condition     = { for s in azapi_resource.app.body.properties.siteConfig.appSettings : s.name => s.value }["ONEPANE_RETENTION_DAYS"] == "365"
    error_message = "The app knows how long to keep."
  }
}

run "kept_too_short" {
  command = plan
  variables {
    retention_days = 30
  }
  expect_failures = [var.retention_days]
}

run "export_to_a_whole_account" {
  command = plan
  variables {
    export_containers = { lake = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/lake" }
  }
  expect_failures = [var.export_containers]
}

run "secrets_without_a_vault" {
  command = plan
  variables {
    vault_secrets = { HOOK_KEY = "hook-key" }
  }
  expect_failures = [var.vault_secrets]
}

run "aws_without_its_role" {
  command = plan
  variables {
    enable_aws = true
  }
  expect_failures = [var.enable_aws]
}

run "private_and_producers_elsewhere" {
  command = plan
  variables {
    enable_private_network = true
    enable_gcp             = true
    gcp_subject            = "123456789012345678901"
  }
  expect_failures = [var.enable_aws]
}

run "bad_slug" {
  command = plan
  variables {
    tenant_slug = "Contoso_"
  }
  expect_failures = [var.tenant_slug]
}

run "foreign_setting" {
  command = plan
  variables {
    settings = { WEBSITE_RUN_FROM_PACKAGE = "1" }
  }
  expect_failures = [var.settings]
}
