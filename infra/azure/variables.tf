variable "tenant_slug" {
  description = "Short name of the tenant; every resource name derives from it."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.tenant_slug))
    error_message = "tenant_slug: 3 to 16 lower case letters, digits and dashes, beginning with a letter, not ending with a dash."
  }
}

variable "subscription_id" {
  description = "Subscription that holds the resource group."
  type        = string
}

variable "directory_id" {
  description = "Entra directory (tenant) id of the subscription: whose tokens the producers ask for, and whose the API accepts."
  type        = string
}

variable "location" {
  description = "Azure region of everything, for example westeurope."
  type        = string
}

variable "tags" {
  description = "Tags of every resource, beside those that the module sets."
  type        = map(string)
  default     = {}
}

# Producers in other clouds.

variable "enable_aws" {
  description = "Trust the AWS producer: needs aws_issuer and aws_subject."
  type        = bool
  default     = false
  validation {
    condition     = !var.enable_aws || (var.aws_issuer != null && var.aws_subject != null)
    error_message = "enable_aws: set aws_issuer and aws_subject (outputs federation_issuer and role_arn of infra/aws)."
  }
  validation {
    condition     = !(var.enable_private_network && (var.enable_aws || var.enable_gcp))
    error_message = "enable_private_network: producers in other clouds cannot reach a private Service Bus; let them post to the ingest route instead, with enable_aws and enable_gcp false."
  }
}

variable "aws_issuer" {
  description = "Issuer of the AWS account's outbound tokens, https://<uuid>.tokens.sts.global.api.aws."
  type        = string
  default     = null
}

variable "aws_subject" {
  description = "ARN of the role of the AWS producer; matched exactly."
  type        = string
  default     = null
}

variable "enable_gcp" {
  description = "Trust the GCP producer: needs gcp_subject."
  type        = bool
  default     = false
  validation {
    condition     = !var.enable_gcp || var.gcp_subject != null
    error_message = "enable_gcp: set gcp_subject (output service_account_unique_id of infra/gcp)."
  }
}

variable "gcp_subject" {
  description = "Numeric unique id of the GCP producer's service account."
  type        = string
  default     = null
}

# Defender for Cloud.

variable "defender_subscription_ids" {
  description = "Subscriptions whose Defender alerts are exported here. The module turns no Defender plan on."
  type        = set(string)
  default     = []
}

variable "defender_export_principal_id" {
  description = "Object id of 'Windows Azure Security Resource Provider' in the directory; it may then send to the event hub."
  type        = string
  default     = null
  validation {
    condition     = length(var.defender_subscription_ids) == 0 || var.defender_export_principal_id != null
    error_message = "defender_export_principal_id: find it with: az ad sp list --display-name 'Windows Azure Security Resource Provider' --query '[0].id' -o tsv"
  }
}

# Entra application of the API.

variable "create_entra_app" {
  description = "Create the Entra application of the API. Needs a directory role; otherwise bring api_audience."
  type        = bool
  default     = false
}

variable "api_audience" {
  description = "Audience of API tokens when the Entra application exists already."
  type        = string
  default     = null
}

# Network.

variable "enable_private_network" {
  description = "Private endpoints for Service Bus (Premium), Cosmos DB, Event Hubs and Storage, and a subnet for the app. Choose before the first apply: the Service Bus tier cannot change in place."
  type        = bool
  default     = false
}

variable "private_inbound" {
  description = "With enable_private_network: the app itself answers on a private endpoint only."
  type        = bool
  default     = false
}

variable "address_space" {
  description = "Address space of the private network; a /24 is enough."
  type        = string
  default     = "10.71.0.0/24"
}

# Ceilings, retention and money.

variable "maximum_instances" {
  description = "Most instances of one function group. A ceiling of speed, not of money."
  type        = number
  default     = 40
  validation {
    condition     = var.maximum_instances >= 40 && var.maximum_instances <= 1000
    error_message = "maximum_instances: 40 to 1000."
  }
}

variable "instance_memory_mb" {
  description = "Memory of one instance."
  type        = number
  default     = 2048
  validation {
    condition     = contains([2048, 4096], var.instance_memory_mb)
    error_message = "instance_memory_mb: 2048 or 4096."
  }
}

variable "cosmos_max_throughput" {
  description = "Autoscale ceiling of the database in RU/s, shared by its containers; null is serverless (about 5,000 RU/s a container)."
  type        = number
  default     = null
  validation {
    condition     = var.cosmos_max_throughput == null ? true : var.cosmos_max_throughput >= 1000 && var.cosmos_max_throughput % 1000 == 0
    error_message = "cosmos_max_throughput: a multiple of 1000."
  }
}

variable "cosmos_name" {
  description = "Name of the Cosmos DB account when it is not the derived one: after a restore."
  type        = string
  default     = null
}

variable "retention_days" {
  description = "How long resolved incidents and their alerts are kept after their last change; 0 is for ever. What is not resolved is always kept."
  type        = number
  default     = 0
  validation {
    condition     = var.retention_days == 0 || var.retention_days >= 45
    error_message = "retention_days: 0, or at least 45: correlation remembers that long."
  }
}

variable "log_retention_days" {
  description = "How long logs stay."
  type        = number
  default     = 30
}

variable "log_daily_quota_gb" {
  description = "Most logs of a day; what is beyond is dropped."
  type        = number
  default     = 1
}

variable "budget" {
  description = "Monthly budget of the resource group. start is the first day of a month, not in the past at creation."
  type = object({
    amount = number
    start  = string
    emails = list(string)
  })
  default = null
  validation {
    condition     = var.budget == null ? true : can(regex("^\\d{4}-\\d{2}-01$", var.budget.start)) && var.budget.amount > 0
    error_message = "budget: start as YYYY-MM-01 and an amount above 0."
  }
}

variable "alarm_emails" {
  description = "Who is told when an alarm fires."
  type        = list(string)
  default     = []
}

variable "deletion_lock" {
  description = "Lock Service Bus and Cosmos DB against deletion, also by hand."
  type        = bool
  default     = true
}

# Exports.

variable "export_schedule" {
  description = "When exports are looked at, as six fields with seconds first; each export has its own schedule beside, and one on change goes with every look."
  type        = string
  default     = "0 * * * * *"
  validation {
    condition     = length(split(" ", var.export_schedule)) == 6
    error_message = "export_schedule: six fields, seconds first."
  }
}

variable "export_containers" {
  description = "Blob containers that exports write, by a name of yours: resource ids, …/storageAccounts/NAME/blobServices/default/containers/NAME. The app may then write there."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for id in values(var.export_containers) : can(regex("^/subscriptions/.+/blobServices/default/containers/[^/]+$", id))])
    error_message = "export_containers: resource ids of containers, not of accounts."
  }
}

variable "sentinel_rules" {
  description = "Data collection rules that exports send to, by a name of yours: resource ids, …/Microsoft.Insights/dataCollectionRules/NAME. The app may then send rows to them."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for id in values(var.sentinel_rules) : can(regex("(?i)^/subscriptions/.+/dataCollectionRules/[^/]+$", id))])
    error_message = "sentinel_rules: resource ids of data collection rules."
  }
}

# Optional parts.

variable "configuration" {
  description = "The app's configuration as YAML, as a file named by ONEPANE_CONFIG has it: tenants, sources, exports. Secrets are references, env:NAME."
  type        = string
  default     = null
}

variable "vault_secrets" {
  description = "Secrets of the vault by the variable under which the app finds them: {HOOK_KEY = \"hook-key\"} is env:HOOK_KEY. Needs enable_vault; their values are set by hand."
  type        = map(string)
  default     = {}
  validation {
    condition     = length(var.vault_secrets) == 0 || var.enable_vault
    error_message = "vault_secrets: set enable_vault."
  }
  validation {
    condition     = alltrue([for k in keys(var.vault_secrets) : can(regex("^[A-Z][A-Z0-9_]*$", k)) && !startswith(k, "ONEPANE_")])
    error_message = "vault_secrets: names of capital letters, digits and _, that do not begin with ONEPANE_."
  }
}

variable "enable_vault" {
  description = "Create a key vault for webhook secrets and export tokens. Its contents are set by hand, never by Terraform."
  type        = bool
  default     = false
}

variable "settings" {
  description = "Further ONEPANE_ settings of the app, for example ONEPANE_EXPOSURES_AS_ALERTS."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for k in keys(var.settings) : startswith(k, "ONEPANE_")])
    error_message = "settings: every name begins with ONEPANE_."
  }
}
