# The module as planned, without a cloud.

mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults        = { arn = "arn:aws:sqs:eu-west-1:111122223333:queue", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/queue" }
    override_during = plan
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults        = { arn = "arn:aws:events:eu-west-1:111122223333:rule/rule" }
    override_during = plan
  }
  mock_resource "aws_cloudwatch_event_bus" {
    defaults        = { arn = "arn:aws:events:eu-west-1:111122223333:event-bus/bus" }
    override_during = plan
  }
}

variables {
  tenant_slug       = "contoso"
  account_id        = "111122223333"
  region            = "eu-west-1"
  federation_issuer = "https://0a1b2c3d-0000-4000-8000-000000000000.tokens.sts.global.api.aws"
  package           = { path = "ingest-aws.zip", hash = "aGFzaA==" }
  azure = {
    directory_id     = "00000000-0000-0000-0000-000000000002"
    client_id        = "00000000-0000-0000-0000-0000000000c1"
    bus_namespace    = "sb-x.servicebus.windows.net"
    bus_queue        = "alerts"
    quarantine_queue = "quarantine"
    claim_container  = "https://x.blob.core.windows.net/claims"
  }
}

run "one_region" {
  command = plan
  assert {
    condition     = length(aws_cloudwatch_event_rule.take) == 8 && length(aws_cloudwatch_event_rule.forward) == 0 && length(aws_iam_role.forward) == 0
    error_message = "Four sources on two buses, and nothing to forward."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.take["default/securityhub"].event_pattern).detail.findings.ProductName[0]["anything-but"] == ["none", "GuardDuty", "Inspector", "Macie"]
    error_message = "What comes directly is left out of Security Hub's."
  }
  assert {
    condition     = aws_iam_role.ingest.name == split("/", output.role_arn)[1]
    error_message = "Azure trusts the role that is made."
  }
  assert {
    condition     = length(aws_lambda_function_url.ingest) == 0 && length(aws_cloudwatch_event_bus_policy.hub) == 0 && length(aws_budgets_budget.onepane) == 0
    error_message = "Nothing is opened or made that nobody asked for."
  }
  assert {
    condition     = aws_lambda_function.ingest.environment[0].variables["ONEPANE_BUS_QUEUE"] == "alerts"
    error_message = "Settings reach the function."
  }
}

run "many_regions_and_an_organisation" {
  command = plan
  variables {
    finding_regions  = ["eu-central-1", "us-east-1"]
    organization_id  = "o-a1b2c3d4e5"
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:soc", "arn:aws:sns:us-east-1:111122223333:soc"]
  }
  assert {
    condition     = length(aws_cloudwatch_event_rule.forward) == 8 && aws_cloudwatch_event_rule.forward["us-east-1/macie"].region == "us-east-1"
    error_message = "Every source in every region."
  }
  assert {
    condition     = toset(keys(aws_sqs_queue.forward_dead)) == var.finding_regions && aws_cloudwatch_event_target.forward["us-east-1/macie"].region == "us-east-1"
    error_message = "A dead-letter queue in the region of its rules."
  }
  assert {
    condition     = toset(aws_cloudwatch_metric_alarm.alarm["forward-dead-letters-us-east-1"].alarm_actions) == toset(["arn:aws:sns:us-east-1:111122223333:soc"])
    error_message = "Alarms tell the topic of their region."
  }
}

run "securityhub_alone" {
  command = plan
  variables {
    sources = ["securityhub-v2"]
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.take["default/securityhub-v2"].event_pattern).detail.findings.metadata.product.name[0]["anything-but"] == ["none"]
    error_message = "Alone, Security Hub brings everything."
  }
}

run "twice_the_same" {
  command = plan
  variables {
    sources = ["securityhub", "securityhub-v2"]
  }
  expect_failures = [var.sources]
}

run "no_issuer" {
  command = plan
  variables {
    federation_issuer = "https://example.com"
  }
  expect_failures = [var.federation_issuer]
}
