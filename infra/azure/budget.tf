resource "azapi_resource" "budget" {
  count     = var.budget == null ? 0 : 1
  type      = "Microsoft.Consumption/budgets@2023-11-01"
  name      = "budget-${local.name}"
  parent_id = azapi_resource.group.id
  body = {
    properties = {
      category   = "Cost"
      amount     = var.budget.amount
      timeGrain  = "Monthly"
      timePeriod = { startDate = "${var.budget.start}T00:00:00Z" }
      notifications = {
        for percent, of in { "80" = "Forecasted", "100" = "Actual" } : "at${percent}" => {
          enabled                 = true
          operator                = "GreaterThanOrEqualTo"
          threshold               = tonumber(percent)
          thresholdType           = of
          contactEmails           = var.budget.emails
        }
      }
    }
  }
}
