# The service: takes pushes, sends alert events to the tenant's Service Bus.

locals {
  # Settings the binary reads; infra/contract/settings.go lists them all.
  settings = {
    ONEPANE_TENANT           = var.tenant_slug
    ONEPANE_LOG_JSON         = "true"
    ONEPANE_BUS_NAMESPACE    = var.azure.bus_namespace
    ONEPANE_BUS_QUEUE        = var.azure.bus_queue
    ONEPANE_QUARANTINE_QUEUE = var.azure.quarantine_queue
    ONEPANE_CLAIM_CONTAINER  = var.azure.claim_container
    ONEPANE_AZURE_TENANT_ID  = var.azure.directory_id
    ONEPANE_AZURE_CLIENT_ID  = var.azure.client_id
    ONEPANE_PUSH_AUDIENCE    = local.audience
    ONEPANE_PUSH_ACCOUNT     = google_service_account.push.email
  }
}

resource "google_cloud_run_v2_service" "ingest" {
  project             = var.project_id
  location            = var.region
  name                = "${local.name}-ingest-gcp"
  description         = "Findings in, alert events out"
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY" # Pub/Sub of the same project counts as internal
  custom_audiences    = [local.audience]
  deletion_protection = var.deletion_protection
  labels              = local.labels
  template {
    service_account                  = google_service_account.ingest.email
    timeout                          = "50s" # below the subscription's deadline: a push that is given up is not still at work
    max_instance_request_concurrency = 40
    labels                           = local.labels
    scaling {
      min_instance_count = 0
      max_instance_count = var.maximum_instances
    }
    containers {
      image = var.image
      dynamic "env" {
        for_each = local.settings
        content {
          name  = env.key
          value = env.value
        }
      }
      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }
      startup_probe {
        http_get {
          path = "/"
        }
      }
    }
    dynamic "vpc_access" {
      for_each = var.vpc == null ? [] : [var.vpc]
      content {
        egress = "ALL_TRAFFIC"
        network_interfaces {
          network    = vpc_access.value.network
          subnetwork = vpc_access.value.subnetwork
        }
      }
    }
  }
}
