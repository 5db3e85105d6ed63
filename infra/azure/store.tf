# The store: one database, two containers, as shared/store/cosmos describes them. Partition keys are fixed at creation.

locals {
  # Every container: its partition key and the only paths that queries ask for. id and _ts are always indexed.
  containers = {
    state = {
      partition = ["/tenant"]
      indexed = [
        "/type/?", "/v/?", "/ids/[]/?", "/terms/[]/?",
        "/cmin/?", "/cmax/?", "/umin/?", "/umax/?", "/fmin/?", "/fmax/?",
      ]
    }
    blobs = {
      partition = ["/tenant", "/id"]
      indexed   = []
    }
  }
}

resource "azapi_resource" "cosmos" {
  type      = "Microsoft.DocumentDB/databaseAccounts@2025-10-15"
  name      = coalesce(var.cosmos_name, "cosmos-${local.name}")
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    kind = "GlobalDocumentDB"
    properties = {
      databaseAccountOfferType = "Standard"
      locations                = [{ locationName = var.location, failoverPriority = 0, isZoneRedundant = false }]
      consistencyPolicy        = { defaultConsistencyLevel = "Session" }
      capabilities             = var.cosmos_max_throughput == null ? [{ name = "EnableServerless" }] : []
      capacity                 = { totalThroughputLimit = coalesce(var.cosmos_max_throughput, -1) } # -1: no limit beside the serverless one
      backupPolicy             = { type = "Continuous", continuousModeProperties = { tier = "Continuous7Days" } }
      disableLocalAuth         = true
      minimalTlsVersion        = "Tls12"
      publicNetworkAccess      = var.enable_private_network ? "Disabled" : "Enabled"
      # Data-plane identities cannot make databases and containers anyhow; keys are off.
      disableKeyBasedMetadataWriteAccess = true
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "azapi_resource" "database" {
  type      = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-10-15"
  name      = local.database
  parent_id = azapi_resource.cosmos.id
  body = {
    properties = {
      resource = { id = local.database }
      options  = var.cosmos_max_throughput == null ? {} : { autoscaleSettings = { maxThroughput = var.cosmos_max_throughput } }
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "azapi_resource" "container" {
  for_each  = local.containers
  type      = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-10-15"
  name      = each.key
  parent_id = azapi_resource.database.id
  body = {
    properties = {
      resource = {
        id           = each.key
        partitionKey = { paths = each.value.partition, kind = length(each.value.partition) > 1 ? "MultiHash" : "Hash", version = 2 }
        defaultTtl   = -1 # on, and nothing expires that does not say so
        indexingPolicy = {
          # Not "none": without an index nothing expires.
          indexingMode  = "consistent"
          automatic     = true
          includedPaths = [for p in each.value.indexed : { path = p }]
          excludedPaths = [{ path = "/*" }]
        }
      }
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "azapi_resource" "cosmos_lock" {
  count     = var.deletion_lock ? 1 : 0
  type      = "Microsoft.Authorization/locks@2020-05-01"
  name      = "keep"
  parent_id = azapi_resource.cosmos.id
  body = {
    properties = { level = "CanNotDelete", notes = "Every alert and incident of the tenant." }
  }
}
