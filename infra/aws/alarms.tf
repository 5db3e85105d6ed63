locals {
  alarms = merge({
    backlog-age = {
      about     = "Findings wait longer than ten minutes."
      namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", above = 600
      dimension = { QueueName = aws_sqs_queue.findings.name }
      region    = var.region
    }
    dead-letters = {
      about     = "Findings were set aside. Replay them: infra/README.md, replay quarantine."
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", above = 0
      dimension = { QueueName = aws_sqs_queue.dead.name }
      region    = var.region
    }
    function-failures = {
      about     = "ingest-aws fails."
      namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum", above = 0
      dimension = { FunctionName = aws_lambda_function.ingest.function_name }
      region    = var.region
    }
    function-throttled = {
      about     = "The account's concurrency is used up."
      namespace = "AWS/Lambda", metric = "Throttles", statistic = "Sum", above = 0
      dimension = { FunctionName = aws_lambda_function.ingest.function_name }
      region    = var.region
    }
    }, {
    for region in var.finding_regions : "forward-dead-letters-${region}" => {
      about     = "Findings of ${region} did not reach the hub bus."
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", above = 0
      dimension = { QueueName = aws_sqs_queue.forward_dead[region].name }
      region    = region
    }
  })
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each            = local.alarms
  region              = each.value.region
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.dimension
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.above
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  # A topic is told by alarms of its own region only.
  alarm_actions = [for t in var.alarm_topic_arns : t if split(":", t)[3] == each.value.region]
  ok_actions    = [for t in var.alarm_topic_arns : t if split(":", t)[3] == each.value.region]
  tags          = local.tags
}

resource "aws_cloudwatch_dashboard" "onepane" {
  region         = var.region
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = [for i, name in sort(keys(local.alarms)) : {
      type   = "metric"
      x      = i % 2 * 12
      y      = floor(i / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = name
        region  = local.alarms[name].region
        stat    = local.alarms[name].statistic
        period  = 300
        metrics = [flatten([local.alarms[name].namespace, local.alarms[name].metric, [for k, v in local.alarms[name].dimension : [k, v]]])]
      }
    }]
  })
}

resource "aws_budgets_budget" "onepane" {
  count        = var.budget == null ? 0 : 1
  name         = local.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = tostring(var.budget.amount)
  tags         = local.tags
  cost_filter {
    name   = "TagKeyValue"
    values = ["user:tenant$${var.tenant_slug}"]
  }
  dynamic "notification" {
    for_each = { "80" = "FORECASTED", "100" = "ACTUAL" }
    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.value
      threshold                  = tonumber(notification.key)
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.budget.emails
    }
  }
}
