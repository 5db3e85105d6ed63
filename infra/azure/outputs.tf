output "resource_group" {
  description = "Resource group of the tenant."
  value       = azapi_resource.group.name
}

output "app_name" {
  description = "Function app."
  value       = azapi_resource.app.name
}

output "url" {
  description = "Portal, API and ingest routes."
  value       = "https://${azapi_resource.app.name}.azurewebsites.net"
}

# What the producers' modules take. Names follow from the slug, so they are known before anything exists.

output "bus_namespace" {
  description = "Host name of the Service Bus namespace."
  value       = "${azapi_resource.bus.name}.servicebus.windows.net"
}

output "bus_queue" {
  description = "Queue of alert events."
  value       = local.queues.alerts
}

output "quarantine_queue" {
  description = "Queue of what can never be processed."
  value       = local.queues.quarantine
}

output "claim_container" {
  description = "URL of the container of bodies too large for a message."
  value       = "https://${azapi_resource.storage["claims"].name}.blob.core.windows.net/${local.claim_container}"
}

output "directory_id" {
  description = "Entra directory that the producers ask for a token."
  value       = var.directory_id
}

output "producer_client_ids" {
  description = "Client id of each producer's identity, by cloud: aws, gcp."
  value       = { for cloud, i in azapi_resource.producer_identity : cloud => i.output.client_id }
}

output "api_audience" {
  description = "Audience of API tokens; null without an Entra application."
  value       = local.api_audience
}

output "next" {
  description = "The next command to run."
  value       = <<-TEXT
    az functionapp deployment source config-zip -g ${azapi_resource.group.name} -n ${azapi_resource.app.name} --src dist/azure.zip
    curl -fsS https://${azapi_resource.app.name}.azurewebsites.net/readyz
  TEXT
}
