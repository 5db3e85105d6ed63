variable "tenant_slug" {
  description = "Short name of the tenant; every resource name derives from it."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.tenant_slug))
    error_message = "tenant_slug: 3 to 16 lower case letters, digits and dashes, beginning with a letter, not ending with a dash."
  }
}

variable "project_id" {
  description = "Project that holds the producer."
  type        = string
}

variable "project_number" {
  description = "Number of the project: its Pub/Sub service agent is named after it."
  type        = string
  validation {
    condition     = can(regex("^\\d+$", var.project_number))
    error_message = "project_number: gcloud projects describe <project> --format='value(projectNumber)'"
  }
}

variable "region" {
  description = "Region of Cloud Run."
  type        = string
}

variable "scc_scope" {
  description = "Whose findings are taken: kind organization, folder or project, and its id. An organisation needs SCC active on it; a project is enough for a trial. null: the notification config is made elsewhere."
  type = object({
    kind     = string
    id       = string
    location = optional(string, "global")
  })
  default = null
  validation {
    condition     = var.scc_scope == null ? true : contains(["organization", "folder", "project"], var.scc_scope.kind)
    error_message = "scc_scope: kind is organization, folder or project."
  }
}

variable "scc_filter" {
  description = "Which findings are sent."
  type        = string
  default     = "state=\"ACTIVE\" AND NOT mute=\"MUTED\""
}

variable "scc_service_account" {
  description = "Service account that publishes findings, when scc_scope is null."
  type        = string
  default     = null
}

# The tenant's Azure side: outputs of infra/azure.

variable "azure" {
  description = "Outputs of infra/azure: directory_id, client_id (producer_client_ids[\"gcp\"]), bus_namespace, bus_queue, quarantine_queue, claim_container."
  type = object({
    directory_id     = string
    client_id        = string
    bus_namespace    = string
    bus_queue        = string
    quarantine_queue = string
    claim_container  = string
  })
}

variable "image" {
  description = "Image of ingest-gcp, by digest."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image: <repository>@sha256:<digest>; a tag can change under a running tenant."
  }
}

# Ceilings, retention, money.

variable "maximum_instances" {
  description = "Most instances of the service."
  type        = number
  default     = 5
}

variable "notification_channels" {
  description = "Channels that are told when an alarm fires."
  type        = list(string)
  default     = []
}

variable "budget" {
  description = "Monthly budget of the project, in the currency of the billing account."
  type = object({
    billing_account = string
    amount          = number
    currency        = string
  })
  default = null
}

variable "vpc" {
  description = "Network and subnetwork that the service leaves through; null: straight to the internet."
  type = object({
    network    = string
    subnetwork = string
  })
  default = null
}

variable "deletion_protection" {
  description = "Refuse to delete the service."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of every resource, beside those that the module sets."
  type        = map(string)
  default     = {}
}
