# Onepane in one Azure subscription: everything one tenant owns, in one resource group.
#
#   ingest (Functions, Lambda, Cloud Run) ─▶ Service Bus "alerts" ─▶ correlate ─▶ Cosmos DB ─▶ export / api / portal
#                                                └─▶ "quarantine"
#
# The caller brings the providers: a module with provider blocks of its own cannot be used twice.
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
}
