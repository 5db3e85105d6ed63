# The GCP producer of a tenant: findings of Security Command Center in, alert events to the tenant's Service Bus. It holds
# no secret and turns no SCC tier on.
#
#   SCC ─▶ Pub/Sub "scc-findings" ─push, signed─▶ ingest-gcp (Cloud Run) ─▶ Service Bus
#                    └─ 10 failures ─▶ "scc-findings-dead" ─▶ kept 14 days
terraform {
  required_version = ">= 1.9"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0, < 8.0"
    }
  }
}
