# Two roles: the function's, and the one that rules of other regions forward with. infra/contract holds every
# statement against its allow list.

resource "aws_iam_role" "ingest" {
  name = "${local.name}-ingest-aws"
  tags = local.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "ingest" {
  name = "ingest"
  role = aws_iam_role.ingest.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:aws:logs:${local.arn}:log-group:${local.log_group}:*"] # the group's streams
      },
      {
        Sid      = "TakeFindings"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = [aws_sqs_queue.findings.arn]
      },
      {
        # The action knows no resource; the conditions leave one audience, one algorithm and five minutes.
        Sid      = "ProveIdentity"
        Effect   = "Allow"
        Action   = ["sts:GetWebIdentityToken"]
        Resource = ["*"]
        Condition = {
          "ForAllValues:StringEquals" = { "sts:IdentityTokenAudience" = ["api://AzureADTokenExchange"] }
          StringEquals                = { "sts:SigningAlgorithm" = "RS256" }
          NumericLessThanEquals       = { "sts:DurationSeconds" = 300 }
        }
      },
    ]
  })
}

# A function in a VPC makes network interfaces; AWS's managed policy for exactly that.
resource "aws_iam_role_policy_attachment" "vpc" {
  count      = var.vpc == null ? 0 : 1
  role       = aws_iam_role.ingest.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

resource "aws_iam_role" "forward" {
  count = length(var.finding_regions) > 0 ? 1 : 0
  name  = "${local.name}-forward"
  tags  = local.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "forward" {
  count = length(var.finding_regions) > 0 ? 1 : 0
  name  = "forward"
  role  = aws_iam_role.forward[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Forward"
      Effect   = "Allow"
      Action   = ["events:PutEvents"]
      Resource = [aws_cloudwatch_event_bus.hub.arn]
    }]
  })
}
