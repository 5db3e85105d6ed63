locals {
  hash   = substr(sha256("${var.project_id}/${var.tenant_slug}"), 0, 6)
  name   = "onepane-${var.tenant_slug}-${local.hash}"
  short  = "op-${trimsuffix(substr(var.tenant_slug, 0, 12), "-")}-${local.hash}" # account ids: 30 characters with their suffix
  labels = merge(var.labels, { application = "onepane", tenant = var.tenant_slug })

  retention    = "1209600s" # 14 days
  pubsub_agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  audience     = "https://${local.name}.onepane.internal" # what a push token is for; no address, and known before the service is
}
