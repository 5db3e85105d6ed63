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
	{0.36, addChatter},
	{0.10, internetScanners},
	{0.12, signIns},
	{0.10, sharedIdentities},
	{0.05, vulnerabilityScans},
	{0.05, commonFiles},
	{0.08, addBursts},
	{0.02, withoutEntities},
	{0.05, userReports},
	{0.03, oneOffs},
	{0.02, nearDuplicates},
	{0.02, numberClashes},
}

// addNoise fills the tenant with about n alerts that are no attack.
func addNoise(d dice, t *tenant, n int) {
	addInventory(d, t)
	for _, one := range nuisances {
		one.run(&disturbance{t, d, int(one.share * float64(n))})
	}
	aroundVictims(d, t)
}

// raiseNoise raises one alert that is no attack.
func (n *disturbance) raiseNoise(k kind, at time.Time, things ...thing) {
	n.budget--
	n.emitAlert(n.d, k, at, Label{Incident: IsNoise}, things...)
}

// drawAnyTime is a moment of the scenario; working is one in office hours, mostly.
func (n *disturbance) drawAnyTime() time.Time { return n.d.drawTime(n.from, n.to) }

func (n *disturbance) drawWorkingTime() time.Time {
	at := n.drawAnyTime().Truncate(day).Add(n.shift + 8*hour + n.d.drawDuration(0, 10*hour))
	if n.d.isTrue(0.15) || at.Before(n.from) || !at.Before(n.to) {
		return n.drawAnyTime()
	}
	return at
}

// newNoiseKind makes a kind that fires all day.
func newNoiseKind(v voice, typ, title, severity, tactic string) kind {
	out := newKind(v, typ, title, severity, tactic, "")
	out.background = true
	return out
}

// addInventory is what agents and directories say when they begin: the names of a machine or a person together.
func addInventory(d dice, t *tenant) {
	n := &disturbance{tenant: t, d: d}
	enrolled := newNoiseKind(xdr, "DeviceEnrolled", "Device enrolled", info, "")
	for _, m := range t.machines {
		if d.isTrue(0.85) {
			at := t.from.Add(d.drawDuration(0, 9*hour))
			things := []thing{m, plain{"host", m.host + "." + m.domain}, plain{"ip", m.addressAt(at)}}
			if m.resource != "" {
				things = append(things, plain{"resource", m.resource})
			}
			n.raiseNoise(enrolled, at, things...)
		}
	}
	for _, p := range t.people {
		n.raiseNoise(enrolled, t.from.Add(d.drawDuration(0, 9*hour)), p.laptop, p, plain{"user", p.object})
	}
}

// addChatter is the types that fire all day on many machines, each on machines of its own.
func addChatter(n *disturbance) {
	kinds := pickSome(n.d, chatty, min(len(chatty), max(3, n.budget/60))) // few enough that each is heard often
	on := make([][]*machine, len(kinds))
	for i, one := range kinds {
		fit := n.seenBy(one.voice)
		on[i] = pickSome(n.d, fit, n.d.drawInt(min(10, len(fit)), len(fit)))
	}
	n.chatter = kinds
	for n.budget > 0 {
		i := n.d.IntN(len(kinds))
		things := []thing{pickBusy(n.d, on[i])}
		if n.d.isTrue(0.2) && (kinds[i].voice == edr || kinds[i].voice == siem) {
			things = append(things, pickOne(n.d, n.shared[3:6]))
		}
		n.raiseNoise(kinds[i], n.drawAnyTime(), things...)
	}
}

// seenBy lists the machines that a family of products watches: a cloud's own only that cloud's, agents all.
func (n *disturbance) seenBy(v voice) (out []*machine) {
	for _, m := range n.machines {
		if isWatchedBy(v, m) {
			out = append(out, m)
		}
	}
	for _, p := range n.people {
		if isWatchedBy(v, p.laptop) {
			out = append(out, p.laptop)
		}
	}
	return out
}

func isWatchedBy(v voice, m *machine) bool {
	cloud := map[voice]string{guardDuty: "aws", defender: "azure", scc: "gcp"}[v]
	return cloud == "" || cloud == m.cloud
}

var chatty = []kind{
	newNoiseKind(edr, "UnusualChildProcess", "Unusual child process", low, "Execution"),
	newNoiseKind(edr, "PowerShellNetwork", "PowerShell opened a network connection", low, "Execution"),
	newNoiseKind(edr, "AgentTamperAttempt", "Agent service restarted", info, "DefenseEvasion"),
	newNoiseKind(siem, "FailedLogins", "Several failed logins", low, "CredentialAccess"),
	newNoiseKind(siem, "ServiceInstalled", "New service installed", low, "Persistence"),
	newNoiseKind(siem, "OutboundPolicy", "Outbound connection against policy", medium, "CommandAndControl"),
	newNoiseKind(siem, "SudoUse", "Sudo used by an unusual account", low, "PrivilegeEscalation"),
	newNoiseKind(guardDuty, "Recon:EC2/PortProbeUnprotectedPort", "Unprotected port is being probed", low, "Reconnaissance"),
	newNoiseKind(guardDuty, "UnauthorizedAccess:EC2/SSHBruteForce", "SSH brute force", low, "CredentialAccess"),
	newNoiseKind(guardDuty, "Behavior:EC2/NetworkPortUnusual", "Instance uses an unusual port", medium, ""),
	newNoiseKind(defender, "VM_AdaptiveNetworkHardening", "Traffic from unrecommended addresses", low, "InitialAccess"),
	newNoiseKind(defender, "VM_SuspectDownload", "Suspicious file download", medium, "Execution"),
	newNoiseKind(defender, "VM.Windows_AntimalwareExclusion", "Antimalware exclusion added", low, "DefenseEvasion"),
	newNoiseKind(scc, "Brute Force: SSH", "Brute Force: SSH", low, "CredentialAccess"),
	newNoiseKind(edr, "LolbinUse", "System tool used in an unusual way", medium, "DefenseEvasion"),
}

// internetScanners probe whatever faces the internet.
func internetScanners(n *disturbance) {
	kinds := []kind{
		newNoiseKind(waf, "ScannerDetected", "Known scanner", low, ""), newNoiseKind(waf, "PathTraversal", "Path traversal attempt", medium, ""),
		newNoiseKind(waf, "JndiLookup", "Log4Shell lookup in a request header", high, "InitialAccess"), newNoiseKind(waf, "SQLInjection", "SQL injection attempt", medium, "InitialAccess"),
	}
	facing := publicMachines(n.machines)
	for n.budget > 0 && len(facing) > 0 {
		address, at := pickBusy(n.d, n.scanners), n.drawAnyTime()
		for _, m := range pickSome(n.d, facing, n.d.drawInt(1, len(facing))) {
			n.raiseNoise(pickOne(n.d, kinds), at, asVictim(m), asAttacker(ipAddress(address)))
			at = at.Add(n.d.drawDuration(time.Second, 5*time.Minute))
		}
	}
}

// signIns are false positives about people behind addresses that they share.
func signIns(n *disturbance) {
	kinds := []kind{
		newNoiseKind(identity, "UnfamiliarSignIn", "Unfamiliar sign-in properties", low, "InitialAccess"), newNoiseKind(identity, "AtypicalTravel", "Atypical travel", medium, "InitialAccess"),
		newNoiseKind(identity, "AnonymousIpSignIn", "Sign-in from an anonymizing address", medium, "InitialAccess"),
		newNoiseKind(guardDuty, "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", "Unusual console login", medium, ""), newNoiseKind(siem, "ImpossibleTravel", "Logins from two countries", medium, "InitialAccess"),
		newNoiseKind(dlp, "SensitiveUpload", "Sensitive label uploaded", low, "Exfiltration"), newNoiseKind(xdr, "MassMailAccess", "Unusual volume of mail items accessed", low, "Collection"),
	}
	for n.budget > 0 {
		p := pickOne(n.d, n.people)
		address := p.nat
		if n.d.isTrue(0.4) {
			address = pickOne(n.d, slices.Concat(n.proxies, n.vpns))
		}
		n.raiseNoise(pickOne(n.d, kinds), n.drawWorkingTime(), p, ipAddress(address))
	}
}

// sharedIdentities touch everything: the CI role, the deployer, root, SYSTEM, monitoring.
func sharedIdentities(n *disturbance) {
	for n.budget > 0 {
		at := n.drawWorkingTime()
		switch n.d.IntN(5) {
		case 0:
			n.raiseNoise(newNoiseKind(guardDuty, "Persistence:IAMUser/AnomalousBehavior", "Anomalous persistence APIs called", medium, ""), at, n.ciRole, pickOne(n.d, n.stores))
		case 1:
			n.raiseNoise(newNoiseKind(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, ""), at, pickOne(n.d, n.shared[:3]), ipAddress(n.nats[0]))
		case 2:
			n.raiseNoise(newNoiseKind(defender, "ARM_OperationFromSuspiciousIP", "Suspicious invocation of a high-risk operation", medium, "Execution"), at, n.deployer, pickOne(n.d, n.stores))
		case 3:
			n.raiseNoise(newNoiseKind(scc, "Persistence: IAM Anomalous Grant", "Persistence: IAM Anomalous Grant", low, "Persistence"), at, n.shared[7], pickOne(n.d, n.stores))
		default:
			n.raiseNoise(newNoiseKind(siem, "PrivilegedAccountUse", "Privileged account used", low, "PrivilegeEscalation"), at, pickOne(n.d, n.shared), pickOne(n.d, n.machines))
		}
	}
}

// vulnerabilityScans go through every machine once a week or when somebody feels like it.
func vulnerabilityScans(n *disturbance) {
	kinds := []kind{newNoiseKind(siem, "InternalPortScan", "Host scans ports of another host", medium, "Discovery"), newNoiseKind(edr, "ExploitAttemptBlocked", "Exploit attempt blocked", medium, "LateralMovement")}
	for n.budget > 0 {
		at := n.drawAnyTime()
		for _, m := range pickSome(n.d, n.machines, n.d.drawInt(10, 40)) {
			n.raiseNoise(pickOne(n.d, kinds), at, asVictim(m), asAttacker(ipAddress(n.scanner.addressAt(at))))
			if at = at.Add(n.d.drawDuration(time.Second, time.Minute)); n.budget <= 0 {
				return
			}
		}
	}
}

// commonFiles are signed tools that somebody always finds suspicious.
func commonFiles(n *disturbance) {
	kinds := []kind{newNoiseKind(edr, "PotentiallyUnwanted", "Potentially unwanted application", low, "Execution"), newNoiseKind(xdr, "HackTool", "Administration tool used", medium, "Execution"), newNoiseKind(edr, "LowPrevalence", "File seen rarely elsewhere", low, "")}
	for n.budget > 0 {
		p := pickOne(n.d, n.people)
		things := []thing{p.laptop, p}
		if n.d.isTrue(0.4) {
			things = []thing{pickOne(n.d, n.machines), n.shared[3]}
		}
		n.raiseNoise(pickOne(n.d, kinds), n.drawWorkingTime(), append(things, fileHash(pickOne(n.d, n.tools)))...)
	}
}
