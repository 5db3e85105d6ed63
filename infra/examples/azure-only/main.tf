# One tenant, Azure alone: Defender for Cloud and the ingest routes.
#
#   terraform init && terraform apply && terraform output -raw next
terraform {
  required_version = ">= 1.9"
  required_providers {
    azapi = {
      source  = "Azure/azapi"
      version = "~> 2.9"
    }
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.0"
    }
  }
  # One tenant, one state. Keep it where it is versioned and locked:
  # backend "azurerm" { resource_group_name = "…", storage_account_name = "…", container_name = "tfstate", key = "contoso.tfstate", use_azuread_auth = true }
}

provider "azapi" {
  subscription_id = var.subscription_id
  tenant_id       = var.directory_id
}

provider "azuread" {
  tenant_id = var.directory_id
}

variable "subscription_id" {
  type = string
}

variable "directory_id" {
  type = string
}

variable "defender_export_principal_id" {
  type    = string
  default = null
}

module "azure" {
  source          = "../../azure"
  tenant_slug     = "contoso"
  subscription_id = var.subscription_id
  directory_id    = var.directory_id
  location        = "westeurope"

  create_entra_app             = true
  defender_subscription_ids    = var.defender_export_principal_id == null ? [] : [var.subscription_id]
  defender_export_principal_id = var.defender_export_principal_id
  alarm_emails                 = ["soc@contoso.example"]
}

output "url" {
  value = module.azure.url
}

output "next" {
  value = module.azure.next
}
