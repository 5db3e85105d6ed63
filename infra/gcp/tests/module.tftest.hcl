# The module as planned, without a cloud.

mock_provider "google" {
  mock_resource "google_cloud_run_v2_service" {
    defaults        = { uri = "https://ingest-gcp.run.example" }
    override_during = plan
  }
  mock_resource "google_service_account" {
    defaults        = { email = "sa@project.iam.gserviceaccount.com", unique_id = "123456789012345678901" }
    override_during = plan
  }
}

variables {
  tenant_slug    = "contoso"
  project_id     = "contoso-sec"
  project_number = "123456789012"
  region         = "europe-west1"
  image          = "europe-west1-docker.pkg.dev/contoso-sec/onepane/ingest-gcp@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  azure = {
    directory_id     = "00000000-0000-0000-0000-000000000002"
    client_id        = "00000000-0000-0000-0000-0000000000c1"
    bus_namespace    = "sb-x.servicebus.windows.net"
    bus_queue        = "alerts"
    quarantine_queue = "quarantine"
    claim_container  = "https://x.blob.core.windows.net/claims"
  }
}

run "organisation" {
  command = plan
  variables {
    scc_scope = { kind = "organization", id = "123456789" }
  }
  assert {
    condition     = length(google_scc_v2_organization_notification_config.findings) == 1 && length(google_scc_v2_folder_notification_config.findings) + length(google_scc_v2_project_notification_config.findings) == 0 && length(google_pubsub_topic_iam_member.scc) == 1
    error_message = "One notification config, whose account may publish."
  }
  assert {
    condition     = google_pubsub_subscription.push.push_config[0].push_endpoint == "https://ingest-gcp.run.example/" && google_pubsub_subscription.push.push_config[0].oidc_token[0].audience == one(google_cloud_run_v2_service.ingest.custom_audiences)
    error_message = "Pushes reach the route, signed for the service."
  }
  assert {
    condition     = google_pubsub_subscription.push.dead_letter_policy[0].max_delivery_attempts == 10
    error_message = "A push that fails is set aside."
  }
  assert {
    condition     = google_pubsub_subscription_iam_member.dead_letter.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "Dead-lettering is the service agent's work."
  }
  assert {
    condition     = length(google_service_account.ingest.account_id) <= 30 && length(google_service_account.push.account_id) >= 6
    error_message = "Account ids have 6 to 30 characters."
  }
}

run "findings_from_elsewhere" {
  command = plan
  variables {
    scc_service_account = "service-org-1@gcp-sa-scc-notification.iam.gserviceaccount.com"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.scc[0].member == "serviceAccount:service-org-1@gcp-sa-scc-notification.iam.gserviceaccount.com"
    error_message = "A config made elsewhere may publish."
  }
}

run "longest_name" {
  command = plan
  variables {
    tenant_slug = "abcdefghijklmn-p"
  }
  assert {
    condition     = length(google_service_account.ingest.account_id) <= 30 && length(google_cloud_run_v2_service.ingest.name) <= 49
    error_message = "Names stay within GCP's limits."
  }
}

run "image_by_tag" {
  command = plan
  variables {
    image = "europe-west1-docker.pkg.dev/contoso-sec/onepane/ingest-gcp:latest"
  }
  expect_failures = [var.image]
}

run "unknown_scope" {
  command = plan
  variables {
    scc_scope = { kind = "billing", id = "1" }
  }
  expect_failures = [var.scc_scope]
}
