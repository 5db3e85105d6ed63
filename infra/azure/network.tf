# The private option: one network, a subnet the app leaves through, and a private endpoint for each service it reaches.

locals {
  subnets = {
    app       = { prefix = cidrsubnet(var.address_space, 2, 0), delegation = "Microsoft.App/environments" }
    endpoints = { prefix = cidrsubnet(var.address_space, 2, 1), delegation = null }
  }
  endpoints = merge(
    {
      bus       = { target = azapi_resource.bus.id, group = "namespace", zone = "privatelink.servicebus.windows.net" }
      hubs      = { target = azapi_resource.hubs.id, group = "namespace", zone = "privatelink.servicebus.windows.net" }
      cosmos    = { target = azapi_resource.cosmos.id, group = "Sql", zone = "privatelink.documents.azure.com" }
      host-blob = { target = azapi_resource.storage["host"].id, group = "blob", zone = "privatelink.blob.core.windows.net" }
      claims    = { target = azapi_resource.storage["claims"].id, group = "blob", zone = "privatelink.blob.core.windows.net" }
    },
    var.enable_vault ? { vault = { target = azapi_resource.vault[0].id, group = "vault", zone = "privatelink.vaultcore.azure.net" } } : {},
    var.private_inbound ? { app = { target = azapi_resource.app.id, group = "sites", zone = "privatelink.azurewebsites.net" } } : {},
  )
  zones = toset(concat(
    ["privatelink.servicebus.windows.net", "privatelink.documents.azure.com", "privatelink.blob.core.windows.net"],
    var.enable_vault ? ["privatelink.vaultcore.azure.net"] : [],
    var.private_inbound ? ["privatelink.azurewebsites.net"] : [],
  ))
}

resource "azapi_resource" "network" {
  count     = var.enable_private_network ? 1 : 0
  type      = "Microsoft.Network/virtualNetworks@2024-05-01"
  name      = "vnet-${local.name}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body      = { properties = { addressSpace = { addressPrefixes = [var.address_space] } } }
}

resource "azapi_resource" "subnet" {
  for_each  = var.enable_private_network ? local.subnets : {}
  type      = "Microsoft.Network/virtualNetworks/subnets@2024-05-01"
  name      = each.key
  parent_id = azapi_resource.network[0].id
  locks     = [azapi_resource.network[0].id] # two subnets of one network cannot change at once
  body = {
    properties = {
      addressPrefix = each.value.prefix
      delegations   = each.value.delegation == null ? [] : [{ name = "functions", properties = { serviceName = each.value.delegation } }]
    }
  }
}

resource "azapi_resource" "zone" {
  for_each  = var.enable_private_network ? local.zones : toset([])
  type      = "Microsoft.Network/privateDnsZones@2024-06-01"
  name      = each.key
  parent_id = azapi_resource.group.id
  location  = "global"
  tags      = local.tags
  body      = {}
}

resource "azapi_resource" "zone_link" {
  for_each  = azapi_resource.zone
  type      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01"
  name      = "onepane"
  parent_id = each.value.id
  location  = "global"
  body      = { properties = { registrationEnabled = false, virtualNetwork = { id = azapi_resource.network[0].id } } }
}

resource "azapi_resource" "endpoint" {
  for_each  = var.enable_private_network ? local.endpoints : {}
  type      = "Microsoft.Network/privateEndpoints@2024-05-01"
  name      = "pe-${local.name}-${each.key}"
  parent_id = azapi_resource.group.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      subnet = { id = azapi_resource.subnet["endpoints"].id }
      privateLinkServiceConnections = [{
        name       = each.key
        properties = { privateLinkServiceId = each.value.target, groupIds = [each.value.group] }
      }]
    }
  }
}

resource "azapi_resource" "endpoint_zone" {
  for_each  = azapi_resource.endpoint
  type      = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01"
  name      = "default"
  parent_id = each.value.id
  body = {
    properties = {
      privateDnsZoneConfigs = [{ name = each.key, properties = { privateDnsZoneId = azapi_resource.zone[local.endpoints[each.key].zone].id } }]
    }
  }
}
