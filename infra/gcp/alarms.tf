locals {
  alarms = {
    backlog-age = {
      about   = "Findings wait longer than ten minutes."
      filter  = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.push.name}\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner = "ALIGN_MAX", above = 600
    }
    dead-letters = {
      about   = "Findings were set aside. Replay them: infra/README.md, replay quarantine."
      filter  = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.dead.name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner = "ALIGN_MAX", above = 0
    }
    service-failures = {
      about   = "ingest-gcp answers 5xx."
      filter  = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${google_cloud_run_v2_service.ingest.name}\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"5xx\""
      aligner = "ALIGN_DELTA", above = 5
    }
    service-throttled = {
      about   = "No instance was free: 429, the ceiling is reached."
      filter  = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${google_cloud_run_v2_service.ingest.name}\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code = \"429\""
      aligner = "ALIGN_DELTA", above = 5
    }
  }
}

resource "google_monitoring_alert_policy" "alarm" {
  for_each              = local.alarms
  project               = var.project_id
  display_name          = "${local.name} ${each.key}"
  combiner              = "OR"
  notification_channels = var.notification_channels
  user_labels           = local.labels
  documentation {
    content = each.value.about
  }
  conditions {
    display_name = each.key
    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = each.value.aligner
      }
    }
  }
}

resource "google_monitoring_dashboard" "onepane" {
  project = var.project_id
  dashboard_json = jsonencode({
    displayName = local.name
    gridLayout = {
      columns = 2
      widgets = [for name, a in local.alarms : {
        title = name
        xyChart = {
          dataSets = [{
            plotType = "LINE"
            timeSeriesQuery = {
              timeSeriesFilter = { filter = a.filter, aggregation = { alignmentPeriod = "300s", perSeriesAligner = a.aligner } }
            }
          }]
        }
      }]
    }
  })
}

resource "google_billing_budget" "onepane" {
  count           = var.budget == null ? 0 : 1
  billing_account = var.budget.billing_account
  display_name    = local.name
  budget_filter {
    projects = ["projects/${var.project_number}"]
  }
  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.amount)
    }
  }
  dynamic "threshold_rules" {
    for_each = { "0.8" = "FORECASTED_SPEND", "1" = "CURRENT_SPEND" }
    content {
      threshold_percent = tonumber(threshold_rules.key)
      spend_basis       = threshold_rules.value
    }
  }
}
