# Where findings arrive, how they are pushed, and where those go that nobody could take.

resource "google_pubsub_topic" "findings" {
  project                    = var.project_id
  name                       = "${local.name}-scc-findings"
  message_retention_duration = local.retention
  labels                     = local.labels
}

resource "google_pubsub_topic" "dead" {
  project                    = var.project_id
  name                       = "${local.name}-scc-findings-dead"
  message_retention_duration = local.retention
  labels                     = local.labels
}

# A topic without a subscription keeps nothing for anyone.
resource "google_pubsub_subscription" "dead" {
  project                    = var.project_id
  name                       = "${local.name}-scc-findings-dead"
  topic                      = google_pubsub_topic.dead.id
  message_retention_duration = local.retention
  ack_deadline_seconds       = 60
  labels                     = local.labels
  expiration_policy {
    ttl = "" # never, however quiet it is
  }
}

resource "google_pubsub_subscription" "push" {
  project                    = var.project_id
  name                       = "${local.name}-ingest-gcp"
  topic                      = google_pubsub_topic.findings.id
  message_retention_duration = local.retention
  ack_deadline_seconds       = 60
  labels                     = local.labels
  push_config {
    push_endpoint = "${google_cloud_run_v2_service.ingest.uri}/"
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.audience
    }
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 10
  }
  expiration_policy {
    ttl = ""
  }
}

resource "google_scc_v2_organization_notification_config" "findings" {
  count        = try(var.scc_scope.kind, "") == "organization" ? 1 : 0
  config_id    = local.name
  organization = var.scc_scope.id
  location     = var.scc_scope.location
  description  = "Findings for Onepane"
  pubsub_topic = google_pubsub_topic.findings.id
  streaming_config {
    filter = var.scc_filter
  }
}

resource "google_scc_v2_folder_notification_config" "findings" {
  count        = try(var.scc_scope.kind, "") == "folder" ? 1 : 0
  config_id    = local.name
  folder       = var.scc_scope.id
  location     = var.scc_scope.location
  description  = "Findings for Onepane"
  pubsub_topic = google_pubsub_topic.findings.id
  streaming_config {
    filter = var.scc_filter
  }
}

resource "google_scc_v2_project_notification_config" "findings" {
  count        = try(var.scc_scope.kind, "") == "project" ? 1 : 0
  config_id    = local.name
  project      = var.scc_scope.id
  location     = var.scc_scope.location
  description  = "Findings for Onepane"
  pubsub_topic = google_pubsub_topic.findings.id
  streaming_config {
    filter = var.scc_filter
  }
}
