# The AWS producer of a tenant, in its hub account: findings in, alert events to the tenant's Service Bus. It holds no
# secret and turns no detection service on.
#
#   default bus ──────────────┐ rules                    ┌─▶ ingest-aws (Lambda) ─▶ Service Bus
#   other regions ─▶ hub bus ─┴──────▶ SQS "findings" ───┤
#   member accounts (StackSet) ┘                         └─ 5 failures ─▶ SQS "findings-dead"
#
# A queue stands between, not EventBridge's own retry: it keeps findings for 14 days instead of one, hands them out by
# the hundred, which is what a message on Service Bus is billed by, and gives back only what failed.
terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
