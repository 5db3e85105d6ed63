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
	"aws":   k(guardDuty, "Execution:Runtime/ReverseShell", "Container opened a reverse shell", high, "Execution", ""),
	"azure": k(defender, "K8S.NODE_ReverseShell", "Possible reverse shell detected", high, "Execution", ""),
	"gcp":   k(scc, "Reverse Shell", "Reverse Shell", high, "Execution", ""),
}

// containerEscape: shell in a pod, out to the node, the node's identity, a store.
func containerEscape(a *attack) {
	p := a.pod(pick(a.d, []string{"aws", "azure", "gcp"}))
	s := a.store(p.cluster.cloud, "bucket")
	a.see("shell", k(falco, "Terminal shell in container", "Terminal shell in container", medium, "Execution", "T1059"), p, process("bash"))
	if a.d.chance(0.7) {
		a.see("shell", runtime[p.cluster.cloud], victim(p), a.ip(0))
	}
	a.wait(5*time.Minute, 40*time.Minute)
	a.see("escape", k(falco, "Container escape via release_agent", "Container wrote to release_agent", critical, "PrivilegeEscalation", "T1611"), p, p.node)
	a.times(1, 3, 10*time.Minute, "node", k(edr, "ProcessOutsideNamespace", "Process of a container runs on the host", high, "PrivilegeEscalation", "T1611"), victim(p.node), a.hash(0))
	node := &service{"user", "system:node:" + p.node.host}
	a.wait(5*time.Minute, 40*time.Minute)
	switch p.cluster.cloud {
	case "aws":
		node = a.instanceRole(p.node)
		a.see("credentials", k(guardDuty, "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "Instance credentials used from outside", high, "CredentialAccess", ""), node, p.node, a.ip(0))
		a.see("steal", k(guardDuty, "Exfiltration:S3/MaliciousIPCaller", "Objects read from a malicious address", high, "Exfiltration", ""), node, victim(s), a.ip(0))
	case "azure":
		a.see("credentials", k(defender, "K8S_SecretsAccess", "Node identity lists all secrets", medium, "CredentialAccess", ""), node, p.cluster, p.node)
		a.see("steal", k(defender, "Storage.Blob_DataExfiltration.AmountOfDataAnomaly", "Unusual amount of data extracted from a storage account", high, "Exfiltration", ""), victim(s), a.ip(0), node)
	default:
		a.see("credentials", k(scc, "Credential Access: Secrets Accessed In Kubernetes Namespace", "Credential Access: Secrets Accessed In Kubernetes Namespace", medium, "CredentialAccess", ""), node, p.cluster, p.node)
		a.see("steal", k(scc, "Exfiltration: Cloud Storage Unusual Download", "Exfiltration: Cloud Storage Unusual Download", high, "Exfiltration", ""), node, victim(s), a.ip(0))
	}
}

// supplyChain: one poisoned image starts in three clusters and calls one domain.
func supplyChain(a *attack) {
	image := "docker.io/library-mirror/" + pick(a.d, []string{"log-shipper", "redis-exporter", "node-cache"}) + "@sha256:" + a.d.hex(64)
	workload := "agent-" + a.d.hex(3)
	a.see("publish", k(ci, "UnsignedImage", "Unsigned image promoted to production", medium, "InitialAccess", "T1195.002"), plain{"image", image}, a.deployer)
	for _, c := range a.clusters {
		p := newPod(a.d, a.tenant, c, workload)
		p.image = image
		a.wait(10*time.Minute, 3*hour)
		a.see("run", k(falco, "Unexpected outbound connection", "Container connected to an unexpected destination", medium, "CommandAndControl", "T1071"), p, a.domain(0))
		if a.d.chance(0.6) {
			a.see("run", k(falco, "Drop and execute new binary in container", "New binary executed in a container", high, "Execution", "T1059"), p, a.hash(0))
		}
		if a.d.chance(0.6) {
			a.see("shell", runtime[c.cloud], victim(p), plain{"image", image}, a.ip(0))
		}
	}
}

// clusterTakeover: an exposed API, a privileged pod, secrets, mining on the nodes.
func clusterTakeover(a *attack) {
	p := a.pod("aws")
	sa := p.account
	a.see("entry", k(guardDuty, "InitialAccess:Kubernetes/SuccessfulAnonymousAccess", "Anonymous access to the Kubernetes API", high, "InitialAccess", ""), p.cluster, a.ip(0))
	a.see("secrets", k(guardDuty, "CredentialAccess:Kubernetes/MaliciousIPCaller", "Secrets read from a malicious address", high, "CredentialAccess", ""), p.cluster, sa, a.ip(0))
	a.wait(5*time.Minute, 40*time.Minute)
	a.see("privileged", k(guardDuty, "PrivilegeEscalation:Kubernetes/PrivilegedContainer", "Privileged container started", medium, "PrivilegeEscalation", ""), p, sa)
	a.times(1, 4, 20*time.Minute, "mining", k(guardDuty, "CryptoCurrency:Runtime/BitcoinTool.B", "Container talks to a mining pool", high, "Impact", ""), victim(p), a.domain(0))
	a.see("mining", k(falco, "Detect crypto miners using the Stratum protocol", "Stratum protocol used in a container", high, "Impact", "T1496"), p, process("xmrig"))
}
