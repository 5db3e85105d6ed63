# What is taken from EventBridge, and how it reaches the queue.

locals {
  direct = { guardduty = "GuardDuty", inspector = "Inspector", macie = "Macie" } # Security Hub's names of them
  # Security Hub's own findings would match no name at all if the list were empty.
  forwarded = concat(["none"], [for source, product in local.direct : product if contains(var.sources, source)])

  all_patterns = {
    guardduty = {
      source      = ["aws.guardduty"]
      detail-type = ["GuardDuty Finding"]
    }
    inspector = {
      source      = ["aws.inspector2"]
      detail-type = ["Inspector2 Finding"]
    }
    macie = {
      source      = ["aws.macie"]
      detail-type = ["Macie Finding"]
    }
    securityhub = {
      source      = ["aws.securityhub"]
      detail-type = ["Security Hub Findings - Imported"]
      detail      = { findings = { ProductName = [{ anything-but = local.forwarded }] } }
    }
    securityhub-v2 = {
      source      = ["aws.securityhub"]
      detail-type = ["Findings Imported V2"]
      detail      = { findings = { metadata = { product = { name = [{ anything-but = local.forwarded }] } } } }
    }
  }
  # As text: the patterns have different shapes, and a map of them would have to have one.
  patterns = { for source, pattern in local.all_patterns : source => jsonencode(pattern) if contains(var.sources, source) }

  forwards = { for pair in setproduct(var.finding_regions, keys(local.patterns)) : "${pair[0]}/${pair[1]}" => { region = pair[0], source = pair[1] } }
  buses    = { default = "default", hub = aws_cloudwatch_event_bus.hub.name }
  takes    = { for pair in setproduct(["default", "hub"], keys(local.patterns)) : "${pair[0]}/${pair[1]}" => { bus = pair[0], source = pair[1] } }
}

# Other regions and member accounts put their findings here.
resource "aws_cloudwatch_event_bus" "hub" {
  region = var.region
  name   = local.name
  tags   = local.tags
}

resource "aws_cloudwatch_event_bus_policy" "hub" {
  count          = var.organization_id == null ? 0 : 1
  region         = var.region
  event_bus_name = aws_cloudwatch_event_bus.hub.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "MembersForward"
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = ["events:PutEvents"]
      Resource  = [aws_cloudwatch_event_bus.hub.arn]
      Condition = { StringEquals = { "aws:PrincipalOrgID" = var.organization_id, "events:source" = distinct([for p in local.all_patterns : p.source[0]]) } }
    }]
  })
}

# In the hub region: rule ─▶ queue.
resource "aws_cloudwatch_event_rule" "take" {
  for_each       = local.takes
  region         = var.region
  name           = "${local.name}-${each.value.source}"
  event_bus_name = local.buses[each.value.bus]
  description    = "Findings for Onepane"
  event_pattern  = local.patterns[each.value.source]
  tags           = local.tags
}

resource "aws_cloudwatch_event_target" "take" {
  for_each       = local.takes
  region         = var.region
  rule           = aws_cloudwatch_event_rule.take[each.key].name
  event_bus_name = local.buses[each.value.bus]
  target_id      = "findings"
  arn            = aws_sqs_queue.findings.arn
  retry_policy {
    maximum_retry_attempts       = 185
    maximum_event_age_in_seconds = 86400
  }
  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

# In every other region: rule ─▶ hub bus.
resource "aws_cloudwatch_event_rule" "forward" {
  for_each      = local.forwards
  region        = each.value.region
  name          = "${local.name}-${each.value.source}"
  description   = "Findings for Onepane, to ${var.region}"
  event_pattern = local.patterns[each.value.source]
  tags          = local.tags
}

resource "aws_cloudwatch_event_target" "forward" {
  for_each  = local.forwards
  region    = each.value.region
  rule      = aws_cloudwatch_event_rule.forward[each.key].name
  target_id = "hub"
  arn       = aws_cloudwatch_event_bus.hub.arn
  role_arn  = aws_iam_role.forward[0].arn
  retry_policy {
    maximum_retry_attempts       = 185
    maximum_event_age_in_seconds = 86400
  }
  dead_letter_config {
    arn = aws_sqs_queue.forward_dead[each.value.region].arn
  }
}
