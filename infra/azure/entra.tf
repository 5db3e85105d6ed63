# The Entra application of the API: whose tokens it takes, with the roles the API asks for.

locals {
  app_roles_of_api = {
    "SecurityIncident.Read.All"      = "Read all security incidents"
    "SecurityIncident.ReadWrite.All" = "Read and write all security incidents"
    "SecurityAlert.Read.All"         = "Read all security alerts"
    "SecurityAlert.ReadWrite.All"    = "Read and write all security alerts"
    "Onepane.Ingest.All"             = "Deliver alerts"
    "Onepane.Operate.All"            = "Release quarantine, run exports, manage API keys, read the audit log"
  }
  api_audience = var.create_entra_app ? "api://onepane-${var.tenant_slug}-${local.hash}" : var.api_audience
}

resource "azuread_application" "api" {
  count            = var.create_entra_app ? 1 : 0
  display_name     = "Onepane ${var.tenant_slug}"
  sign_in_audience = "AzureADMyOrg"
  identifier_uris  = [local.api_audience]
  api {
    requested_access_token_version = 2
  }
  dynamic "app_role" {
    for_each = local.app_roles_of_api
    content {
      id                   = uuidv5("url", "onepane/${app_role.key}")
      value                = app_role.key
      display_name         = app_role.key
      description          = app_role.value
      allowed_member_types = ["Application", "User"]
      enabled              = true
    }
  }
}

# Nobody gets a token by being in the directory: users and applications are assigned a role first.
resource "azuread_service_principal" "api" {
  count                        = var.create_entra_app ? 1 : 0
  client_id                    = azuread_application.api[0].client_id
  app_role_assignment_required = true
}
