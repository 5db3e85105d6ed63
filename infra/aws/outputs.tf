output "role_arn" {
  description = "Role of the producer: aws_subject of infra/azure. Known before the role exists."
  value       = local.role_arn
}

output "federation_issuer" {
  description = "Issuer of the producer's tokens: aws_issuer of infra/azure."
  value       = var.federation_issuer
}

output "hub_bus_arn" {
  description = "Parameter HubBusArn of the StackSet template."
  value       = aws_cloudwatch_event_bus.hub.arn
}

output "event_patterns" {
  description = "Event patterns by source, as EventBridge reads them."
  value       = local.patterns
}

output "dead_letter_queue_arn" {
  description = "Where findings go that were not delivered."
  value       = aws_sqs_queue.dead.arn
}

output "next" {
  description = "The next commands to run."
  value       = <<-TEXT
    aws lambda get-function --region ${var.region} --function-name ${aws_lambda_function.ingest.function_name} --query Configuration.LastUpdateStatus
    aws guardduty create-sample-findings --region ${var.region} --detector-id <detector> --finding-types UnauthorizedAccess:EC2/TorClient
  TEXT
}
