package attacks

import "time"

// containerRecipes are attacks in clusters.
var containerRecipes = []recipe{
	{"container-escape", 8 * hour, false, containerEscape},
	{"supply-chain-image", day, false, supplyChain},
	{"cluster-takeover", 6 * hour, false, clusterTakeover},
}

// runtime is the voice of the cloud's own container detection.
var runtime = map[string]kind{
	"aws":   newKind(guardDuty, "Execution:Runtime/ReverseShell", "Container opened a reverse shell", high, "Execution", ""),
	"azure": newKind(defender, "K8S.NODE_ReverseShell", "Possible reverse shell detected", high, "Execution", ""),
	"gcp":   newKind(scc, "Reverse Shell", "Reverse Shell", high, "Execution", ""),
}

// containerEscape: shell in a pod, out to the node, the node's identity, a store.
func containerEscape(a *attack) {
	p := a.victimPod(pickOne(a.d, []string{"aws", "azure", "gcp"}))
	s := a.victimStore(p.cluster.cloud, "bucket")
	a.raiseAlert("shell", newKind(falco, "Terminal shell in container", "Terminal shell in container", medium, "Execution", "T1059"), p, processName("bash"))
	if a.d.isTrue(0.7) {
		a.raiseAlert("shell", runtime[p.cluster.cloud], asVictim(p), a.actorIP(0))
	}
	a.passTime(5*time.Minute, 40*time.Minute)
	a.raiseAlert("escape", newKind(falco, "Container escape via release_agent", "Container wrote to release_agent", critical, "PrivilegeEscalation", "T1611"), p, p.node)
	a.raiseAlerts(1, 3, 10*time.Minute, "node", newKind(edr, "ProcessOutsideNamespace", "Process of a container runs on the host", high, "PrivilegeEscalation", "T1611"), asVictim(p.node), a.actorHash(0))
	node := &service{"user", "system:node:" + p.node.host}
	a.passTime(5*time.Minute, 40*time.Minute)
	switch p.cluster.cloud {
	case "aws":
		node = a.instanceRole(p.node)
		a.raiseAlert("credentials", newKind(guardDuty, "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "Instance credentials used from outside", high, "CredentialAccess", ""), node, p.node, a.actorIP(0))
		a.raiseAlert("steal", newKind(guardDuty, "Exfiltration:S3/MaliciousIPCaller", "Objects read from a malicious address", high, "Exfiltration", ""), node, asVictim(s), a.actorIP(0))
	case "azure":
		a.raiseAlert("credentials", newKind(defender, "K8S_SecretsAccess", "Node identity lists all secrets", medium, "CredentialAccess", ""), node, p.cluster, p.node)
		a.raiseAlert("steal", newKind(defender, "Storage.Blob_DataExfiltration.AmountOfDataAnomaly", "Unusual amount of data extracted from a storage account", high, "Exfiltration", ""), asVictim(s), a.actorIP(0), node)
	default:
		a.raiseAlert("credentials", newKind(scc, "Credential Access: Secrets Accessed In Kubernetes Namespace", "Credential Access: Secrets Accessed In Kubernetes Namespace", medium, "CredentialAccess", ""), node, p.cluster, p.node)
		a.raiseAlert("steal", newKind(scc, "Exfiltration: Cloud Storage Unusual Download", "Exfiltration: Cloud Storage Unusual Download", high, "Exfiltration", ""), node, asVictim(s), a.actorIP(0))
	}
}

// supplyChain: one poisoned image starts in three clusters and calls one domain.
func supplyChain(a *attack) {
	image := "docker.io/library-mirror/" + pickOne(a.d, []string{"log-shipper", "redis-exporter", "node-cache"}) + "@sha256:" + a.d.drawHex(64)
	workload := "agent-" + a.d.drawHex(3)
	a.raiseAlert("publish", newKind(ci, "UnsignedImage", "Unsigned image promoted to production", medium, "InitialAccess", "T1195.002"), plain{"image", image}, a.deployer)
	for _, c := range a.clusters {
		p := newPod(a.d, a.tenant, c, workload)
		p.image = image
		a.passTime(10*time.Minute, 3*hour)
		a.raiseAlert("run", newKind(falco, "Unexpected outbound connection", "Container connected to an unexpected destination", medium, "CommandAndControl", "T1071"), p, a.actorDomain(0))
		if a.d.isTrue(0.6) {
			a.raiseAlert("run", newKind(falco, "Drop and execute new binary in container", "New binary executed in a container", high, "Execution", "T1059"), p, a.actorHash(0))
		}
		if a.d.isTrue(0.6) {
			a.raiseAlert("shell", runtime[c.cloud], asVictim(p), plain{"image", image}, a.actorIP(0))
		}
	}
}

// clusterTakeover: an exposed API, a privileged pod, secrets, mining on the nodes.
func clusterTakeover(a *attack) {
	p := a.victimPod("aws")
	sa := p.account
	a.raiseAlert("entry", newKind(guardDuty, "InitialAccess:Kubernetes/SuccessfulAnonymousAccess", "Anonymous access to the Kubernetes API", high, "InitialAccess", ""), p.cluster, a.actorIP(0))
	a.raiseAlert("secrets", newKind(guardDuty, "CredentialAccess:Kubernetes/MaliciousIPCaller", "Secrets read from a malicious address", high, "CredentialAccess", ""), p.cluster, sa, a.actorIP(0))
	a.passTime(5*time.Minute, 40*time.Minute)
	a.raiseAlert("privileged", newKind(guardDuty, "PrivilegeEscalation:Kubernetes/PrivilegedContainer", "Privileged container started", medium, "PrivilegeEscalation", ""), p, sa)
	a.raiseAlerts(1, 4, 20*time.Minute, "mining", newKind(guardDuty, "CryptoCurrency:Runtime/BitcoinTool.B", "Container talks to a mining pool", high, "Impact", ""), asVictim(p), a.actorDomain(0))
	a.raiseAlert("mining", newKind(falco, "Detect crypto miners using the Stratum protocol", "Stratum protocol used in a container", high, "Impact", "T1496"), p, processName("xmrig"))
}
