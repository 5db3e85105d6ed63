# Who may do what. The runtime account has no role in the project at all: its identity token is all it needs.

locals {
  scc_account = concat(
    google_scc_v2_organization_notification_config.findings[*].service_account,
    google_scc_v2_folder_notification_config.findings[*].service_account,
    google_scc_v2_project_notification_config.findings[*].service_account,
    var.scc_scope == null && var.scc_service_account != null ? [var.scc_service_account] : [],
  )
}

resource "google_service_account" "ingest" {
  project      = var.project_id
  account_id   = "${local.short}-ingest"
  display_name = "Onepane ingest-gcp"
}

resource "google_service_account" "push" {
  project      = var.project_id
  account_id   = "${local.short}-push"
  display_name = "Onepane: Pub/Sub calls ingest-gcp"
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.ingest.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.push.email}"
}

resource "google_pubsub_topic_iam_member" "scc" {
  count   = length(local.scc_account)
  project = var.project_id
  topic   = google_pubsub_topic.findings.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${local.scc_account[count.index]}"
}

# Without these two dead-lettering does nothing, and says nothing.
resource "google_pubsub_topic_iam_member" "dead_letter" {
  project = var.project_id
  topic   = google_pubsub_topic.dead.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter" {
  project      = var.project_id
  subscription = google_pubsub_subscription.push.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
