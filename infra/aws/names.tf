locals {
  hash = substr(sha256("${var.account_id}/${var.tenant_slug}"), 0, 6)
  name = "onepane-${var.tenant_slug}-${local.hash}"
  tags = merge(var.tags, { application = "onepane", tenant = var.tenant_slug })

  arn = "${var.region}:${var.account_id}"
  # Built from names, not read from resources: Azure's trust needs the role before the function that needs the trust.
  role_arn = "arn:aws:iam::${var.account_id}:role/${local.name}-ingest-aws"
}
