package attacks

import "time"

// serverRecipes are attacks on machines.
var serverRecipes = []recipe{
	{"ransomware", 14 * hour, false, ransomwareByRDP},
	{"web-shell", 2 * day, false, webShell},
	{"bastion-brute-force", 10 * hour, false, bastionMiner},
	{"database-theft", day, false, databaseTheft},
	{"dns-tunnel", 4 * day, false, dnsTunnel},
	{"exploit-wave", 8 * hour, false, exploitWave},
	{"slow-server", 6 * day, false, slowServer},
}

// ransomwareByRDP: in by remote desktop, credentials, from server to server, everything encrypted.
func ransomwareByRDP(a *attack) {
	first := a.victimServer("", false)
	admin := &service{"user", a.name + `\adm-` + pickOne(a.d, firstNames) + a.d.drawHex(2)}
	a.raiseAlerts(1, 3, 10*time.Minute, "entry", newKind(siem, "RemoteDesktopBruteForce", "Remote desktop brute force", medium, "CredentialAccess", "T1110"), asVictim(first), a.actorIP(0))
	a.raiseAlert("entry", newKind(edr, "RemoteLogonFromInternet", "Remote logon from the internet", high, "InitialAccess", "T1133"), asVictim(first), admin, a.actorIP(0))
	a.passTime(20*time.Minute, 2*hour)
	a.raiseAlert("credentials", newKind(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"), asVictim(first), admin, a.actorHash(0))
	a.passTime(20*time.Minute, 2*hour)
	for range a.d.drawInt(3, 8) {
		m := a.victimServer("", false)
		a.raiseAlert("lateral", newKind(edr, "RemoteServiceExecution", "Service created remotely", high, "LateralMovement", "T1021.002"), asVictim(m), asContext(first), admin)
		if a.d.isTrue(0.5) {
			a.raiseAlert("impair", newKind(edr, "ProtectionDisabled", "Protection switched off", high, "DefenseEvasion", "T1562.001"), asVictim(m), admin)
		}
		a.raiseAlert("impact", newKind(edr, "ShadowCopiesDeleted", "Shadow copies deleted", high, "Impact", "T1490"), asVictim(m), a.actorHash(1))
		a.raiseAlerts(1, 4, 3*time.Minute, "impact", newKind(edr, "FilesEncrypted", "Many files rewritten with high entropy", critical, "Impact", "T1486"), asVictim(m), a.actorHash(1))
	}
}

// webShell: upload, commands, a day of quiet, then the database server next door.
func webShell(a *attack) {
	web, db := a.victimServer("azure", true), a.victimServer("", false)
	a.raiseAlerts(1, 3, 10*time.Minute, "exploit", newKind(waf, "FileUploadExploit", "Executable upload attempt", medium, "InitialAccess", "T1190"), asVictim(web), a.actorIP(0))
	a.raiseAlert("shell", newKind(edr, "WebShellWritten", "Web server process wrote a script", high, "Persistence", "T1505.003"), asVictim(web), a.actorHash(0))
	a.raiseAlerts(2, 5, 20*time.Minute, "commands", newKind(edr, "WebServerSpawnedShell", "Web server process started a shell", high, "Execution", "T1059"), asVictim(web), processName("w3wp.exe"))
	if a.d.isTrue(0.6) {
		a.raiseAlert("commands", newKind(defender, "VM.Windows_SuspiciousWebShell", "Possible web shell detected", high, "Persistence", "T1505.003"), asVictim(web), a.actorIP(0))
	}
	a.passTime(10*hour, 24*hour)
	a.raiseAlert("lateral", newKind(edr, "ExplicitCredentialsUsed", "Process started with explicit credentials on another host", medium, "LateralMovement", "T1021"), asVictim(db), asContext(web))
	a.raiseAlerts(1, 3, 20*time.Minute, "dump", newKind(edr, "DatabaseDump", "Database dumped by an unusual process", high, "Collection", "T1005"), asVictim(db), a.actorHash(1))
	a.raiseAlert("steal", newKind(siem, "LargeOutboundTransfer", "Large outbound transfer to a rare address", medium, "Exfiltration", "T1048"), db, a.actorIP(1))
}

// bastionMiner: brute force that succeeds, a miner, and then the bastion attacks others.
func bastionMiner(a *attack) {
	m := a.victimServer(pickOne(a.d, []string{"aws", "azure"}), false)
	brute, mining, out := newKind(guardDuty, "UnauthorizedAccess:EC2/SSHBruteForce", "SSH brute force", low, "CredentialAccess", ""), newKind(guardDuty, "CryptoCurrency:EC2/BitcoinTool.B", "Instance talks to a mining pool", high, "Impact", ""), newKind(guardDuty, "Recon:EC2/Portscan", "Instance scans ports", medium, "Discovery", "")
	if m.cloud == "azure" {
		brute, mining, out = newKind(defender, "VM_SshBruteForceFailed", "Failed SSH brute force attack", medium, "CredentialAccess", ""), newKind(defender, "VM_DigitalCurrencyMining", "Digital currency mining detected", high, "Execution", ""), newKind(defender, "VM_PortSweeping", "Outgoing port sweeping detected", medium, "Discovery", "")
	}
	a.raiseAlerts(2, 5, 15*time.Minute, "brute", brute, asVictim(m), a.actorIP(0))
	a.raiseAlert("login", newKind(siem, "LoginAfterFailures", "Successful login after many failures", medium, "InitialAccess", "T1110.001"), m, a.actorIP(0))
	a.raiseAlert("tools", newKind(edr, "ToolDownload", "Tool downloaded with curl and made executable", medium, "CommandAndControl", "T1105"), asVictim(m), a.actorHash(0), a.actorDomain(0))
	a.raiseAlerts(2, 6, 40*time.Minute, "mining", mining, asVictim(m), a.actorDomain(1))
	a.raiseAlerts(1, 3, 20*time.Minute, "spread", out, m)
}

// databaseTheft: a database server tried, entered and emptied.
func databaseTheft(a *attack) {
	s := a.victimStore("azure", "database")
	a.raiseAlerts(1, 4, 20*time.Minute, "try", newKind(defender, "SQL.DB_BruteForce", "Suspected brute force attack", medium, "CredentialAccess", ""), asVictim(s), a.actorIP(0))
	a.raiseAlert("entry", newKind(defender, "SQL.DB_BruteForce.Success", "Suspected successful brute force attack", high, "CredentialAccess", ""), asVictim(s), a.actorIP(0))
	a.passTime(hour, 5*hour)
	a.raiseAlert("commands", newKind(defender, "SQL.DB_ExternalOperations", "Database attempted to run an external command", high, "Execution", ""), asVictim(s), a.actorIP(0))
	a.raiseAlerts(1, 3, hour, "steal", newKind(defender, "SQL.DB_DataExfiltration", "Unusual export of data", high, "Exfiltration", ""), asVictim(s), a.actorIP(1))
}

// dnsTunnel: a server beacons through name queries for days, then sends more.
func dnsTunnel(a *attack) {
	m := a.victimServer("", false)
	a.raiseAlert("entry", newKind(edr, "SuspiciousLibraryLoaded", "Unsigned library loaded by a signed process", medium, "DefenseEvasion", "T1574.002"), asVictim(m), a.actorHash(0))
	for range a.d.drawInt(4, 9) {
		a.passTime(2*hour, 9*hour)
		a.raiseAlert("tunnel", newKind(siem, "DnsTunnel", "Name queries look like a tunnel", medium, "CommandAndControl", "T1071.004"), m, a.actorDomain(0))
	}
	a.raiseAlert("stage", newKind(edr, "ArchiveStaged", "Large archive created in a temporary folder", medium, "Collection", "T1560.001"), asVictim(m), a.actorHash(1))
	a.raiseAlert("steal", newKind(siem, "DnsExfiltration", "Data leaves through name queries", high, "Exfiltration", "T1048"), m, a.actorDomain(0))
}

// exploitWave: one address throws one exploit at several servers; one of them falls.
func exploitWave(a *attack) {
	fell := a.victimServer("", true)
	for _, m := range append(pickSome(a.d, publicMachines(a.machines), a.d.drawInt(2, 4)), fell) {
		a.raiseAlert("exploit", newKind(waf, "JndiLookup", "Log4Shell lookup in a request header", high, "InitialAccess", "T1190"), asVictim(m), a.actorIP(0))
	}
	a.passTime(time.Minute, 20*time.Minute)
	a.raiseAlert("shell", newKind(edr, "JavaSpawnedShell", "Java process started a shell", high, "Execution", "T1059.004"), asVictim(fell), a.actorHash(0))
	a.raiseAlert("beacon", newKind(edr, "ReverseShell", "Interactive shell over the network", high, "CommandAndControl", "T1095"), asVictim(fell), a.actorIP(1))
	a.raiseAlerts(1, 3, hour, "discover", newKind(edr, "HostDiscoveryCommands", "Discovery commands in quick succession", low, "Discovery", "T1082"), asVictim(fell), processName("bash"))
	a.raiseAlert("persist", newKind(edr, "CronPersistence", "Cron entry runs a rare script", medium, "Persistence", "T1053.003"), asVictim(fell), a.actorHash(0))
}

// slowServer: one step a day on one server, each of a kind that the tenant hardly ever sees.
func slowServer(a *attack) {
	m := a.victimServer("", false)
	a.raiseAlert("day-1", newKind(edr, "ScheduledTaskRareBinary", "Scheduled task runs a rare binary", medium, "Persistence", "T1053.005"), asVictim(m), a.actorHash(0))
	a.pace = 1
	a.passTime(17*hour, 26*hour)
	a.raiseAlert("day-2", newKind(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"), asVictim(m), a.actorHash(0))
	a.passTime(17*hour, 26*hour)
	a.raiseAlert("day-3", newKind(edr, "KerberosTicketAnomaly", "Kerberos tickets requested unusually", medium, "CredentialAccess", "T1558.003"), asVictim(m), a.actorHash(1))
	a.passTime(17*hour, 26*hour)
	a.raiseAlert("day-4", newKind(siem, "RareDomainBeacon", "Periodic connections to a rare domain", medium, "CommandAndControl", "T1071.001"), m, a.actorDomain(0))
	a.raiseAlert("day-4", newKind(edr, "ArchiveStaged", "Large archive created in a temporary folder", medium, "Collection", "T1560.001"), asVictim(m), a.actorHash(1))
}

func publicMachines(list []*machine) (out []*machine) {
	for _, m := range list {
		if m.public != "" {
			out = append(out, m)
		}
	}
	return out
}
