variable "tenant_slug" {
  description = "Short name of the tenant; every resource name derives from it."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.tenant_slug))
    error_message = "tenant_slug: 3 to 16 lower case letters, digits and dashes, beginning with a letter, not ending with a dash."
  }
}

variable "account_id" {
  description = "The hub account: the delegated administrator of GuardDuty and Security Hub, or the only account there is."
  type        = string
  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id: 12 digits."
  }
}

variable "region" {
  description = "Region of the Lambda function and its queues."
  type        = string
}

variable "finding_regions" {
  description = "Further regions of this account whose findings are forwarded. Not needed where Security Hub aggregates into region."
  type        = set(string)
  default     = []
}

variable "sources" {
  description = "What is taken from EventBridge: guardduty, inspector, macie directly, securityhub (ASFF) or securityhub-v2 (OCSF) for the rest. What comes directly is left out of Security Hub's."
  type        = set(string)
  default     = ["guardduty", "inspector", "macie", "securityhub"]
  validation {
    condition     = length(setsubtract(var.sources, ["guardduty", "inspector", "macie", "securityhub", "securityhub-v2"])) == 0
    error_message = "sources: any of guardduty, inspector, macie, securityhub, securityhub-v2."
  }
  validation {
    condition     = !(contains(var.sources, "securityhub") && contains(var.sources, "securityhub-v2"))
    error_message = "sources: securityhub and securityhub-v2 deliver the same findings twice; choose one."
  }
}

variable "organization_id" {
  description = "AWS organisation whose member accounts may forward findings to the hub bus; null for none."
  type        = string
  default     = null
}

# The tenant's Azure side: outputs of infra/azure.

variable "azure" {
  description = "Outputs of infra/azure: directory_id, client_id (producer_client_ids[\"aws\"]), bus_namespace, bus_queue, quarantine_queue, claim_container."
  type = object({
    directory_id     = string
    client_id        = string
    bus_namespace    = string
    bus_queue        = string
    quarantine_queue = string
    claim_container  = string
  })
}

variable "federation_issuer" {
  description = "Issuer of this account's outbound tokens: aws iam get-outbound-web-identity-federation-info. Handed on to infra/azure. Switching federation on concerns the whole account, so this module does not own the switch."
  type        = string
  validation {
    condition     = can(regex("^https://[0-9a-f-]{36}\\.tokens\\.sts\\.global\\.api\\.aws$", var.federation_issuer))
    error_message = "federation_issuer: https://<uuid>.tokens.sts.global.api.aws. Once an account: aws iam enable-outbound-web-identity-federation"
  }
}

variable "package" {
  description = "Path of ingest-aws.zip, and its base64 SHA-256 (filebase64sha256)."
  type = object({
    path = string
    hash = string
  })
}

# Ceilings, retention, money.

variable "maximum_concurrency" {
  description = "Most Lambda invocations at once (2 to 1000)."
  type        = number
  default     = 10
}

variable "batch_size" {
  description = "Most findings of one invocation."
  type        = number
  default     = 100
}

variable "batch_seconds" {
  description = "How long a batch gathers. The price of a finding falls with the size of its batch, its delay grows with this."
  type        = number
  default     = 5
}

variable "log_retention_days" {
  description = "How long logs stay."
  type        = number
  default     = 30
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm fires."
  type        = list(string)
  default     = []
}

variable "budget" {
  description = "Monthly budget of what this module made, by its tag (which must be activated as a cost allocation tag)."
  type = object({
    amount = number
    emails = list(string)
  })
  default = null
}

variable "enable_function_url" {
  description = "Give the function a URL for senders inside AWS that sign with IAM. Others use the tenant's ingest route."
  type        = bool
  default     = false
}

variable "vpc" {
  description = "Run the function in a VPC with egress to Azure; its security groups must let HTTPS out. The endpoint of STS is the VPC owner's."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "tags" {
  description = "Tags of every resource, beside those that the module sets."
  type        = map(string)
  default     = {}
}
