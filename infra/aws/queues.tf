# Every hop has somewhere to put what it cannot hand on, and the permission to do so.
#
#   rule ─▶ findings ─▶ Lambda          rule (other region) ─▶ hub bus
#     └─▶ dead ◀─┘ 5 receives             └─▶ forward_dead, in its region

resource "aws_sqs_queue" "findings" {
  region                     = var.region
  name                       = "${local.name}-findings"
  message_retention_seconds  = 1209600                               # 14 days
  visibility_timeout_seconds = local.timeout * 6 + var.batch_seconds # AWS: six times the function's timeout, and the window
  sqs_managed_sse_enabled    = true
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
  tags                       = local.tags
}

resource "aws_sqs_queue" "dead" {
  region                    = var.region
  name                      = "${local.name}-findings-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  region    = var.region
  queue_url = aws_sqs_queue.dead.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.findings.arn]
  })
}

resource "aws_sqs_queue" "forward_dead" {
  for_each                  = var.finding_regions
  region                    = each.key
  name                      = "${local.name}-forward-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "findings" {
  region    = var.region
  queue_url = aws_sqs_queue.findings.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RulesDeliver"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = [aws_sqs_queue.findings.arn]
      Condition = { ArnEquals = { "aws:SourceArn" = [for r in aws_cloudwatch_event_rule.take : r.arn] } }
    }]
  })
}

resource "aws_sqs_queue_policy" "dead" {
  region    = var.region
  queue_url = aws_sqs_queue.dead.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RulesSetAside"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = [aws_sqs_queue.dead.arn]
      Condition = { ArnEquals = { "aws:SourceArn" = [for r in aws_cloudwatch_event_rule.take : r.arn] } }
    }]
  })
}

resource "aws_sqs_queue_policy" "forward_dead" {
  for_each  = var.finding_regions
  region    = each.key
  queue_url = aws_sqs_queue.forward_dead[each.key].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RulesSetAside"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = [aws_sqs_queue.forward_dead[each.key].arn]
      Condition = { ArnEquals = { "aws:SourceArn" = [for k, r in aws_cloudwatch_event_rule.forward : r.arn if local.forwards[k].region == each.key] } }
    }]
  })
}
