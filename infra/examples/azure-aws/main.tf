# One tenant, Azure and AWS. The two sides meet in this state, and no secret passes between them:
#
#   role ARN, token issuer ─▶ module.azure (trust) ─ client id ─▶ module.aws (setting of the function)
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

variable "subscription_id" {
  type = string
}

variable "directory_id" {
  type = string
}

variable "aws_account_id" {
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

module "azure" {
  source          = "../../azure"
  tenant_slug     = "contoso"
  subscription_id = var.subscription_id
  directory_id    = var.directory_id
  location        = "westeurope"

  enable_aws   = true
  aws_issuer   = module.aws.federation_issuer
  aws_subject  = module.aws.role_arn
  alarm_emails = ["soc@contoso.example"]
}

module "aws" {
  source            = "../../aws"
  tenant_slug       = "contoso"
  account_id        = var.aws_account_id
  region            = "eu-west-1"
  federation_issuer = var.aws_federation_issuer
  package           = { path = var.aws_package, hash = filebase64sha256(var.aws_package) }
  azure = {
    directory_id     = module.azure.directory_id
    client_id        = module.azure.producer_client_ids["aws"]
    bus_namespace    = module.azure.bus_namespace
    bus_queue        = module.azure.bus_queue
    quarantine_queue = module.azure.quarantine_queue
    claim_container  = module.azure.claim_container
  }
}

output "url" {
  value = module.azure.url
}

output "next" {
  value = join("\n", [module.azure.next, module.aws.next])
}
