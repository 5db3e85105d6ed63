output "service_account_unique_id" {
  description = "Unique id of the producer's service account: gcp_subject of infra/azure."
  value       = google_service_account.ingest.unique_id
}

output "topic" {
  description = "Topic that takes findings."
  value       = google_pubsub_topic.findings.id
}

output "dead_letter_subscription" {
  description = "Where findings wait that were not taken."
  value       = google_pubsub_subscription.dead.id
}

output "next" {
  description = "The next commands to run."
  value       = <<-TEXT
    gcloud run services describe ${google_cloud_run_v2_service.ingest.name} --project ${var.project_id} --region ${var.region} --format 'value(status.conditions)'
    gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead.name} --project ${var.project_id} --limit 1
  TEXT
}
