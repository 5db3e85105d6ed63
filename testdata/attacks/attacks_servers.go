package attacks

import "time"

// serverRecipes are attacks on machines.
var serverRecipes = []recipe{
	{"ransomware", 14 * hour, false, ransomware},
	{"web-shell", 2 * day, false, webShell},
	{"bastion-brute-force", 10 * hour, false, bastion},
	{"database-theft", day, false, databaseTheft},
	{"dns-tunnel", 4 * day, false, dnsTunnel},
	{"exploit-wave", 8 * hour, false, exploitWave},
	{"slow-server", 6 * day, false, slowServer},
}

// ransomware: in by remote desktop, credentials, from server to server, everything encrypted.
func ransomware(a *attack) {
	first := a.server("", false)
	admin := &service{"user", a.name + `\adm-` + pick(a.d, firstNames) + a.d.hex(2)}
	a.times(1, 3, 10*time.Minute, "entry", k(siem, "RemoteDesktopBruteForce", "Remote desktop brute force", medium, "CredentialAccess", "T1110"), victim(first), a.ip(0))
	a.see("entry", k(edr, "RemoteLogonFromInternet", "Remote logon from the internet", high, "InitialAccess", "T1133"), victim(first), admin, a.ip(0))
	a.wait(20*time.Minute, 2*hour)
	a.see("credentials", k(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"), victim(first), admin, a.hash(0))
	a.wait(20*time.Minute, 2*hour)
	for range a.d.between(3, 8) {
		m := a.server("", false)
		a.see("lateral", k(edr, "RemoteServiceExecution", "Service created remotely", high, "LateralMovement", "T1021.002"), victim(m), context(first), admin)
		if a.d.chance(0.5) {
			a.see("impair", k(edr, "ProtectionDisabled", "Protection switched off", high, "DefenseEvasion", "T1562.001"), victim(m), admin)
		}
		a.see("impact", k(edr, "ShadowCopiesDeleted", "Shadow copies deleted", high, "Impact", "T1490"), victim(m), a.hash(1))
		a.times(1, 4, 3*time.Minute, "impact", k(edr, "FilesEncrypted", "Many files rewritten with high entropy", critical, "Impact", "T1486"), victim(m), a.hash(1))
	}
}

// webShell: upload, commands, a day of quiet, then the database server next door.
func webShell(a *attack) {
	web, db := a.server("azure", true), a.server("", false)
	a.times(1, 3, 10*time.Minute, "exploit", k(waf, "FileUploadExploit", "Executable upload attempt", medium, "InitialAccess", "T1190"), victim(web), a.ip(0))
	a.see("shell", k(edr, "WebShellWritten", "Web server process wrote a script", high, "Persistence", "T1505.003"), victim(web), a.hash(0))
	a.times(2, 5, 20*time.Minute, "commands", k(edr, "WebServerSpawnedShell", "Web server process started a shell", high, "Execution", "T1059"), victim(web), process("w3wp.exe"))
	if a.d.chance(0.6) {
		a.see("commands", k(defender, "VM.Windows_SuspiciousWebShell", "Possible web shell detected", high, "Persistence", "T1505.003"), victim(web), a.ip(0))
	}
	a.wait(10*hour, 24*hour)
	a.see("lateral", k(edr, "ExplicitCredentialsUsed", "Process started with explicit credentials on another host", medium, "LateralMovement", "T1021"), victim(db), context(web))
	a.times(1, 3, 20*time.Minute, "dump", k(edr, "DatabaseDump", "Database dumped by an unusual process", high, "Collection", "T1005"), victim(db), a.hash(1))
	a.see("steal", k(siem, "LargeOutboundTransfer", "Large outbound transfer to a rare address", medium, "Exfiltration", "T1048"), db, a.ip(1))
}

// bastion: brute force that succeeds, a miner, and then the bastion attacks others.
func bastion(a *attack) {
	m := a.server(pick(a.d, []string{"aws", "azure"}), false)
	brute, mining, out := k(guardDuty, "UnauthorizedAccess:EC2/SSHBruteForce", "SSH brute force", low, "CredentialAccess", ""), k(guardDuty, "CryptoCurrency:EC2/BitcoinTool.B", "Instance talks to a mining pool", high, "Impact", ""), k(guardDuty, "Recon:EC2/Portscan", "Instance scans ports", medium, "Discovery", "")
	if m.cloud == "azure" {
		brute, mining, out = k(defender, "VM_SshBruteForceFailed", "Failed SSH brute force attack", medium, "CredentialAccess", ""), k(defender, "VM_DigitalCurrencyMining", "Digital currency mining detected", high, "Execution", ""), k(defender, "VM_PortSweeping", "Outgoing port sweeping detected", medium, "Discovery", "")
	}
	a.times(2, 5, 15*time.Minute, "brute", brute, victim(m), a.ip(0))
	a.see("login", k(siem, "LoginAfterFailures", "Successful login after many failures", medium, "InitialAccess", "T1110.001"), m, a.ip(0))
	a.see("tools", k(edr, "ToolDownload", "Tool downloaded with curl and made executable", medium, "CommandAndControl", "T1105"), victim(m), a.hash(0), a.domain(0))
	a.times(2, 6, 40*time.Minute, "mining", mining, victim(m), a.domain(1))
	a.times(1, 3, 20*time.Minute, "spread", out, m)
}

// databaseTheft: a database server tried, entered and emptied.
func databaseTheft(a *attack) {
	s := a.store("azure", "database")
	a.times(1, 4, 20*time.Minute, "try", k(defender, "SQL.DB_BruteForce", "Suspected brute force attack", medium, "CredentialAccess", ""), victim(s), a.ip(0))
	a.see("entry", k(defender, "SQL.DB_BruteForce.Success", "Suspected successful brute force attack", high, "CredentialAccess", ""), victim(s), a.ip(0))
	a.wait(hour, 5*hour)
	a.see("commands", k(defender, "SQL.DB_ExternalOperations", "Database attempted to run an external command", high, "Execution", ""), victim(s), a.ip(0))
	a.times(1, 3, hour, "steal", k(defender, "SQL.DB_DataExfiltration", "Unusual export of data", high, "Exfiltration", ""), victim(s), a.ip(1))
}

// dnsTunnel: a server beacons through name queries for days, then sends more.
func dnsTunnel(a *attack) {
	m := a.server("", false)
	a.see("entry", k(edr, "SuspiciousLibraryLoaded", "Unsigned library loaded by a signed process", medium, "DefenseEvasion", "T1574.002"), victim(m), a.hash(0))
	for range a.d.between(4, 9) {
		a.wait(2*hour, 9*hour)
		a.see("tunnel", k(siem, "DnsTunnel", "Name queries look like a tunnel", medium, "CommandAndControl", "T1071.004"), m, a.domain(0))
	}
	a.see("stage", k(edr, "ArchiveStaged", "Large archive created in a temporary folder", medium, "Collection", "T1560.001"), victim(m), a.hash(1))
	a.see("steal", k(siem, "DnsExfiltration", "Data leaves through name queries", high, "Exfiltration", "T1048"), m, a.domain(0))
}

// exploitWave: one address throws one exploit at several servers; one of them falls.
func exploitWave(a *attack) {
	fell := a.server("", true)
	for _, m := range append(sample(a.d, public(a.machines), a.d.between(2, 4)), fell) {
		a.see("exploit", k(waf, "JndiLookup", "Log4Shell lookup in a request header", high, "InitialAccess", "T1190"), victim(m), a.ip(0))
	}
	a.wait(time.Minute, 20*time.Minute)
	a.see("shell", k(edr, "JavaSpawnedShell", "Java process started a shell", high, "Execution", "T1059.004"), victim(fell), a.hash(0))
	a.see("beacon", k(edr, "ReverseShell", "Interactive shell over the network", high, "CommandAndControl", "T1095"), victim(fell), a.ip(1))
	a.times(1, 3, hour, "discover", k(edr, "HostDiscoveryCommands", "Discovery commands in quick succession", low, "Discovery", "T1082"), victim(fell), process("bash"))
	a.see("persist", k(edr, "CronPersistence", "Cron entry runs a rare script", medium, "Persistence", "T1053.003"), victim(fell), a.hash(0))
}

// slowServer: one step a day on one server, each of a kind that the tenant hardly ever sees.
func slowServer(a *attack) {
	m := a.server("", false)
	a.see("day-1", k(edr, "ScheduledTaskRareBinary", "Scheduled task runs a rare binary", medium, "Persistence", "T1053.005"), victim(m), a.hash(0))
	a.pace = 1
	a.wait(17*hour, 26*hour)
	a.see("day-2", k(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"), victim(m), a.hash(0))
	a.wait(17*hour, 26*hour)
	a.see("day-3", k(edr, "KerberosTicketAnomaly", "Kerberos tickets requested unusually", medium, "CredentialAccess", "T1558.003"), victim(m), a.hash(1))
	a.wait(17*hour, 26*hour)
	a.see("day-4", k(siem, "RareDomainBeacon", "Periodic connections to a rare domain", medium, "CommandAndControl", "T1071.001"), m, a.domain(0))
	a.see("day-4", k(edr, "ArchiveStaged", "Large archive created in a temporary folder", medium, "Collection", "T1560.001"), victim(m), a.hash(1))
}

func public(list []*machine) (out []*machine) {
	for _, m := range list {
		if m.public != "" {
			out = append(out, m)
		}
	}
	return out
}
