# One tenant, all three clouds: several AWS regions and an organisation's member accounts, a GCP organisation's findings,
# a budget in each. The sides meet in this state, and no secret passes between them.
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
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0, < 8.0"
    }
  }
}

provider "azapi" {
  subscription_id = var.subscription_id
  tenant_id       = var.directory_id
}

provider "azuread" {
  tenant_id = var.directory_id
}

provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = [var.aws_account_id]
}

provider "google" {
  project               = var.gcp_project_id
  billing_project       = var.gcp_project_id
  user_project_override = true
}

variable "subscription_id" {
  type = string
}

variable "directory_id" {
  type = string
}

variable "defender_export_principal_id" {
  type = string
}

variable "budget_start" {
  description = "First day of the month the Azure budget begins in, YYYY-MM-01."
  type        = string
}

variable "aws_account_id" {
  type = string
}

variable "aws_organization_id" {
  type = string
}

variable "aws_federation_issuer" {
  description = "aws iam get-outbound-web-identity-federation-info --query IssuerIdentifier --output text"
  type        = string
}

variable "aws_package" {
  type    = string
  default = "../../../dist/ingest-aws.zip"
}

variable "gcp_project_id" {
  type = string
}

variable "gcp_project_number" {
  type = string
}

variable "gcp_organization_id" {
  type = string
}

variable "gcp_billing_account" {
  type = string
}

variable "gcp_image" {
  description = "Image of ingest-gcp by digest, as make package prints it."
  type        = string
}

locals {
  slug = "contoso"
  azure = {
    directory_id     = module.azure.directory_id
    bus_namespace    = module.azure.bus_namespace
    bus_queue        = module.azure.bus_queue
    quarantine_queue = module.azure.quarantine_queue
    claim_container  = module.azure.claim_container
  }
}

module "azure" {
  source          = "../../azure"
  tenant_slug     = local.slug
  subscription_id = var.subscription_id
  directory_id    = var.directory_id
  location        = "westeurope"

  enable_aws  = true
  aws_issuer  = module.aws.federation_issuer
  aws_subject = module.aws.role_arn
  enable_gcp  = true
  gcp_subject = module.gcp.service_account_unique_id

  create_entra_app             = true
  defender_subscription_ids    = [var.subscription_id]
  defender_export_principal_id = var.defender_export_principal_id
  enable_vault                 = true
  cosmos_max_throughput        = 4000
  alarm_emails                 = ["soc@contoso.example"]
  budget                       = { amount = 500, start = var.budget_start, emails = ["soc@contoso.example"] }
}

module "aws" {
  source            = "../../aws"
  tenant_slug       = local.slug
  account_id        = var.aws_account_id
  region            = "eu-west-1"
  finding_regions   = ["eu-central-1", "us-east-1"]
  organization_id   = var.aws_organization_id
  federation_issuer = var.aws_federation_issuer
  package           = { path = var.aws_package, hash = filebase64sha256(var.aws_package) }
  azure             = merge(local.azure, { client_id = module.azure.producer_client_ids["aws"] })
  budget            = { amount = 50, emails = ["soc@contoso.example"] }
}

module "gcp" {
  source         = "../../gcp"
  tenant_slug    = local.slug
  project_id     = var.gcp_project_id
  project_number = var.gcp_project_number
  region         = "europe-west1"
  scc_scope      = { kind = "organization", id = var.gcp_organization_id }
  image          = var.gcp_image
  azure          = merge(local.azure, { client_id = module.azure.producer_client_ids["gcp"] })
  budget         = { billing_account = var.gcp_billing_account, amount = 50, currency = "EUR" }
}

output "url" {
  value = module.azure.url
}

output "hub_bus_arn" {
  description = "Parameter HubBusArn of ../../aws/stackset/member.yaml."
  value       = module.aws.hub_bus_arn
}

output "next" {
  value = join("\n", [module.azure.next, module.aws.next, module.gcp.next])
}
