package attacks

import (
	"slices"
	"time"
)

// A source of noise spends a share of the tenant's noise budget.
type nuisance struct {
	share float64
	run   func(*disturbance)
}

// disturbance is noise in the making: how many alerts are still to come.
type disturbance struct {
	*tenant
	d      dice
	budget int
}

var nuisances = []nuisance{
	{0.36, chatter},
	{0.10, internetScanners},
	{0.12, signIns},
	{0.10, sharedIdentities},
	{0.05, vulnerabilityScans},
	{0.05, commonFiles},
	{0.08, bursts},
	{0.02, withoutEntities},
	{0.05, userReports},
	{0.03, oneOffs},
	{0.02, nearDuplicates},
	{0.02, numberClashes},
}

// disturb fills the tenant with about n alerts that are no attack.
func disturb(d dice, t *tenant, n int) {
	inventory(d, t)
	for _, one := range nuisances {
		one.run(&disturbance{t, d, int(one.share * float64(n))})
	}
	aroundVictims(d, t)
}

// noise raises one alert that is no attack.
func (n *disturbance) noise(k kind, at time.Time, things ...thing) {
	n.budget--
	n.emit(n.d, k, at, Label{Incident: IsNoise}, things...)
}

// anytime is a moment of the scenario; working is one in office hours, mostly.
func (n *disturbance) anytime() time.Time { return n.d.moment(n.from, n.to) }

func (n *disturbance) working() time.Time {
	at := n.anytime().Truncate(day).Add(n.shift + 8*hour + n.d.span(0, 10*hour))
	if n.d.chance(0.15) || at.Before(n.from) || !at.Before(n.to) {
		return n.anytime()
	}
	return at
}

// bg makes a kind that fires all day.
func bg(v voice, typ, title, severity, tactic string) kind {
	out := k(v, typ, title, severity, tactic, "")
	out.background = true
	return out
}

// inventory is what agents and directories say when they begin: the names of a machine or a person together.
func inventory(d dice, t *tenant) {
	n := &disturbance{tenant: t, d: d}
	enrolled := bg(xdr, "DeviceEnrolled", "Device enrolled", info, "")
	for _, m := range t.machines {
		if d.chance(0.85) {
			at := t.from.Add(d.span(0, 9*hour))
			things := []thing{m, plain{"host", m.host + "." + m.domain}, plain{"ip", m.address(at)}}
			if m.resource != "" {
				things = append(things, plain{"resource", m.resource})
			}
			n.noise(enrolled, at, things...)
		}
	}
	for _, p := range t.people {
		n.noise(enrolled, t.from.Add(d.span(0, 9*hour)), p.laptop, p, plain{"user", p.object})
	}
}

// chatter is the types that fire all day on many machines, each on machines of its own.
func chatter(n *disturbance) {
	kinds := sample(n.d, chatty, min(len(chatty), max(3, n.budget/60))) // few enough that each is heard often
	on := make([][]*machine, len(kinds))
	for i, one := range kinds {
		fit := n.seenBy(one.voice)
		on[i] = sample(n.d, fit, n.d.between(min(10, len(fit)), len(fit)))
	}
	n.chatter = kinds
	for n.budget > 0 {
		i := n.d.IntN(len(kinds))
		things := []thing{skewed(n.d, on[i])}
		if n.d.chance(0.2) && (kinds[i].voice == edr || kinds[i].voice == siem) {
			things = append(things, pick(n.d, n.shared[3:6]))
		}
		n.noise(kinds[i], n.anytime(), things...)
	}
}

// seenBy lists the machines that a family of products watches: a cloud's own only that cloud's, agents all.
func (n *disturbance) seenBy(v voice) (out []*machine) {
	for _, m := range n.machines {
		if watches(v, m) {
			out = append(out, m)
		}
	}
	for _, p := range n.people {
		if watches(v, p.laptop) {
			out = append(out, p.laptop)
		}
	}
	return out
}

func watches(v voice, m *machine) bool {
	cloud := map[voice]string{guardDuty: "aws", defender: "azure", scc: "gcp"}[v]
	return cloud == "" || cloud == m.cloud
}

var chatty = []kind{
	bg(edr, "UnusualChildProcess", "Unusual child process", low, "Execution"),
	bg(edr, "PowerShellNetwork", "PowerShell opened a network connection", low, "Execution"),
	bg(edr, "AgentTamperAttempt", "Agent service restarted", info, "DefenseEvasion"),
	bg(siem, "FailedLogins", "Several failed logins", low, "CredentialAccess"),
	bg(siem, "ServiceInstalled", "New service installed", low, "Persistence"),
	bg(siem, "OutboundPolicy", "Outbound connection against policy", medium, "CommandAndControl"),
	bg(siem, "SudoUse", "Sudo used by an unusual account", low, "PrivilegeEscalation"),
	bg(guardDuty, "Recon:EC2/PortProbeUnprotectedPort", "Unprotected port is being probed", low, "Reconnaissance"),
	bg(guardDuty, "UnauthorizedAccess:EC2/SSHBruteForce", "SSH brute force", low, "CredentialAccess"),
	bg(guardDuty, "Behavior:EC2/NetworkPortUnusual", "Instance uses an unusual port", medium, ""),
	bg(defender, "VM_AdaptiveNetworkHardening", "Traffic from unrecommended addresses", low, "InitialAccess"),
	bg(defender, "VM_SuspectDownload", "Suspicious file download", medium, "Execution"),
	bg(defender, "VM.Windows_AntimalwareExclusion", "Antimalware exclusion added", low, "DefenseEvasion"),
	bg(scc, "Brute Force: SSH", "Brute Force: SSH", low, "CredentialAccess"),
	bg(edr, "LolbinUse", "System tool used in an unusual way", medium, "DefenseEvasion"),
}

// internetScanners probe whatever faces the internet.
func internetScanners(n *disturbance) {
	kinds := []kind{
		bg(waf, "ScannerDetected", "Known scanner", low, ""), bg(waf, "PathTraversal", "Path traversal attempt", medium, ""),
		bg(waf, "JndiLookup", "Log4Shell lookup in a request header", high, "InitialAccess"), bg(waf, "SQLInjection", "SQL injection attempt", medium, "InitialAccess"),
	}
	facing := public(n.machines)
	for n.budget > 0 && len(facing) > 0 {
		address, at := skewed(n.d, n.scanners), n.anytime()
		for _, m := range sample(n.d, facing, n.d.between(1, len(facing))) {
			n.noise(pick(n.d, kinds), at, victim(m), attacker(ip(address)))
			at = at.Add(n.d.span(time.Second, 5*time.Minute))
		}
	}
}

// signIns are false positives about people behind addresses that they share.
func signIns(n *disturbance) {
	kinds := []kind{
		bg(identity, "UnfamiliarSignIn", "Unfamiliar sign-in properties", low, "InitialAccess"), bg(identity, "AtypicalTravel", "Atypical travel", medium, "InitialAccess"),
		bg(identity, "AnonymousIpSignIn", "Sign-in from an anonymizing address", medium, "InitialAccess"),
		bg(guardDuty, "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", "Unusual console login", medium, ""), bg(siem, "ImpossibleTravel", "Logins from two countries", medium, "InitialAccess"),
		bg(dlp, "SensitiveUpload", "Sensitive label uploaded", low, "Exfiltration"), bg(xdr, "MassMailAccess", "Unusual volume of mail items accessed", low, "Collection"),
	}
	for n.budget > 0 {
		p := pick(n.d, n.people)
		address := p.nat
		if n.d.chance(0.4) {
			address = pick(n.d, slices.Concat(n.proxies, n.vpns))
		}
		n.noise(pick(n.d, kinds), n.working(), p, ip(address))
	}
}

// sharedIdentities touch everything: the CI role, the deployer, root, SYSTEM, monitoring.
func sharedIdentities(n *disturbance) {
	for n.budget > 0 {
		at := n.working()
		switch n.d.IntN(5) {
		case 0:
			n.noise(bg(guardDuty, "Persistence:IAMUser/AnomalousBehavior", "Anomalous persistence APIs called", medium, ""), at, n.ciRole, pick(n.d, n.stores))
		case 1:
			n.noise(bg(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, ""), at, pick(n.d, n.shared[:3]), ip(n.nats[0]))
		case 2:
			n.noise(bg(defender, "ARM_OperationFromSuspiciousIP", "Suspicious invocation of a high-risk operation", medium, "Execution"), at, n.deployer, pick(n.d, n.stores))
		case 3:
			n.noise(bg(scc, "Persistence: IAM Anomalous Grant", "Persistence: IAM Anomalous Grant", low, "Persistence"), at, n.shared[7], pick(n.d, n.stores))
		default:
			n.noise(bg(siem, "PrivilegedAccountUse", "Privileged account used", low, "PrivilegeEscalation"), at, pick(n.d, n.shared), pick(n.d, n.machines))
		}
	}
}

// vulnerabilityScans go through every machine once a week or when somebody feels like it.
func vulnerabilityScans(n *disturbance) {
	kinds := []kind{bg(siem, "InternalPortScan", "Host scans ports of another host", medium, "Discovery"), bg(edr, "ExploitAttemptBlocked", "Exploit attempt blocked", medium, "LateralMovement")}
	for n.budget > 0 {
		at := n.anytime()
		for _, m := range sample(n.d, n.machines, n.d.between(10, 40)) {
			n.noise(pick(n.d, kinds), at, victim(m), attacker(ip(n.scanner.address(at))))
			if at = at.Add(n.d.span(time.Second, time.Minute)); n.budget <= 0 {
				return
			}
		}
	}
}

// commonFiles are signed tools that somebody always finds suspicious.
func commonFiles(n *disturbance) {
	kinds := []kind{bg(edr, "PotentiallyUnwanted", "Potentially unwanted application", low, "Execution"), bg(xdr, "HackTool", "Administration tool used", medium, "Execution"), bg(edr, "LowPrevalence", "File seen rarely elsewhere", low, "")}
	for n.budget > 0 {
		p := pick(n.d, n.people)
		things := []thing{p.laptop, p}
		if n.d.chance(0.4) {
			things = []thing{pick(n.d, n.machines), n.shared[3]}
		}
		n.noise(pick(n.d, kinds), n.working(), append(things, hash(pick(n.d, n.tools)))...)
	}
}
