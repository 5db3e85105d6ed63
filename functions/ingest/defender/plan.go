package defender

import "strings"

// planOf names the Defender plan that detected, in the Graph's words for a detection source; "" when neither the
// component nor the alert's type tells.
func planOf(component, alertType string) string {
	if p := plans[normalizeKey(component)]; p != "" {
		return p
	}
	t := strings.ToLower(alertType)
	t = strings.TrimPrefix(t, "simulated_")
	for _, p := range prefixes {
		if strings.HasPrefix(t, p.prefix) {
			return p.plan
		}
	}
	return ""
}

const (
	servers    = "microsoftDefenderForServers"
	storage    = "microsoftDefenderForStorage"
	databases  = "microsoftDefenderForDatabases"
	containers = "microsoftDefenderForContainers"
	appService = "microsoftDefenderForAppService"
	keyVault   = "microsoftDefenderForKeyVault"
	resources  = "microsoftDefenderForResourceManager"
	dns        = "microsoftDefenderForDNS"
	network    = "microsoftDefenderForNetwork"
	apis       = "microsoftDefenderForApiManagement"
	ai         = "microsoftDefenderForAIServices"
	iot        = "microsoftDefenderForIoT"
)

// plans are the values of productComponentName, folded.
var plans = map[string]string{
	"virtualmachines": servers, "servers": servers, "defenderforservers": servers,
	"storageaccounts": storage, "storage": storage,
	"databases": databases, "sqlservers": databases, "sqlservervirtualmachines": databases, "sql": databases,
	"azurecosmosdbaccounts": databases, "cosmosdbs": databases, "opensourcerelationaldatabases": databases,
	"containers": containers, "kubernetesservice": containers, "kubernetes": containers, "containerregistry": containers,
	"appservices": appService, "appservice": appService,
	"keyvaults": keyVault, "keyvault": keyVault,
	"arm": resources, "resourcemanager": resources,
	"dns": dns, "network": network, "networking": network, "ddos": network,
	"api": apis, "apis": apis, "apimanagement": apis,
	"ai": ai, "aiservices": ai, "aiworkloads": ai,
	"iot": iot, "iothub": iot,
}

// prefixes of alert types, as the alerts reference lists them.
var prefixes = []struct{ prefix, plan string }{
	{"vm_", servers}, {"vm.", servers}, {"storage.", storage}, {"storage_", storage},
	{"sql.", databases}, {"sql_", databases}, {"azurecosmosdb_", databases}, {"cosmosdb_", databases}, {"synapse.", databases},
	{"mysql", databases}, {"postgresql", databases}, {"mariadb", databases},
	{"k8s", containers}, {"aks_", containers}, {"eks_", containers}, {"gke_", containers}, {"acr_", containers},
	{"appservices_", appService}, {"kv_", keyVault}, {"arm_", resources}, {"azuredns_", dns}, {"dns_", dns},
	{"network_", network}, {"ddos", network}, {"api_", apis}, {"ai.", ai}, {"ai_", ai}, {"iot_", iot},
}
