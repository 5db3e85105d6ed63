# The function: opens findings, sends alert events to the tenant's Service Bus.

locals {
  timeout   = 60
  log_group = "/aws/lambda/${local.name}-ingest-aws"

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
  }
}

# Made here, so that it has an end: a group that Lambda makes itself keeps logs for ever.
resource "aws_cloudwatch_log_group" "ingest" {
  region            = var.region
  name              = local.log_group
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_lambda_function" "ingest" {
  region           = var.region
  function_name    = "${local.name}-ingest-aws"
  description      = "Findings in, alert events out"
  role             = aws_iam_role.ingest.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = ["arm64"]
  memory_size      = 512
  timeout          = local.timeout
  filename         = var.package.path
  source_code_hash = var.package.hash
  tags             = local.tags
  environment {
    variables = local.settings
  }
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.ingest.name
  }
  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }
  depends_on = [aws_iam_role_policy.ingest]
}

resource "aws_lambda_event_source_mapping" "findings" {
  region                             = var.region
  event_source_arn                   = aws_sqs_queue.findings.arn
  function_name                      = aws_lambda_function.ingest.arn
  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batch_seconds
  function_response_types            = ["ReportBatchItemFailures"] # only what failed comes again
  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
  tags = local.tags
}

# Callers need lambda:InvokeFunctionUrl and lambda:InvokeFunction in their own policies; nobody else gets in.
resource "aws_lambda_function_url" "ingest" {
  count              = var.enable_function_url ? 1 : 0
  region             = var.region
  function_name      = aws_lambda_function.ingest.function_name
  authorization_type = "AWS_IAM"
}
