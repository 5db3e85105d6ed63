package attacks

import "time"

// userRecipes are attacks that begin with a person.
var userRecipes = []recipe{
	{"phishing-to-mining", 10 * hour, true, phishingToMining},
	{"password-spray", day, true, passwordSpray},
	{"oauth-consent", day, true, oauthConsent},
	{"insider-exfiltration", 6 * day, true, insider},
	{"helpdesk-vishing", 12 * hour, true, vishing},
	{"dropper-on-laptops", day, true, dropper},
	{"three-clouds-one-address", 8 * hour, true, threeClouds},
	{"mailbox-fraud", 2 * day, true, mailboxFraud},
}

// phishingToMining: mail → laptop → console session → new instance → mining.
func phishingToMining(a *attack) {
	p, miner := a.person(), newMachine(a.d, a.tenant, "aws", "render", 80+a.d.IntN(19))
	a.see("phish", k(mail, "MaliciousUrlDelivered", "Message with a malicious link delivered", medium, "InitialAccess", "T1566.002"), victim(p), link("https://"+a.actor.domains[0]+"/signin"), a.domain(0))
	a.wait(5*time.Minute, 90*time.Minute)
	a.see("click", k(edr, "BrowserCredentialPhish", "Credentials entered on a known phishing page", high, "CredentialAccess", "T1056.003"), victim(p.laptop), p, a.domain(0))
	if a.d.chance(0.7) {
		a.see("click", k(edr, "SuspiciousDownload", "Unsigned download started from a browser", medium, "Execution", "T1204.002"), victim(p.laptop), p, a.hash(0))
	}
	a.wait(10*time.Minute, hour)
	a.see("sign-in", k(identity, "AnomalousToken", "Anomalous token used for sign-in", high, "InitialAccess", "T1078.004"), victim(p), a.ip(0))
	a.see("console", k(guardDuty, "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", "Unusual console login", medium, "InitialAccess", ""), p, a.ip(0))
	a.wait(10*time.Minute, hour)
	a.times(1, 3, 10*time.Minute, "recon", k(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""), p, a.ip(0))
	a.see("persist", k(guardDuty, "Persistence:IAMUser/AnomalousBehavior", "Anomalous persistence APIs called", medium, "Persistence", ""), p, a.ip(1))
	a.see("launch", k(guardDuty, "Impact:IAMUser/AnomalousBehavior", "RunInstances called unusually", high, "Impact", ""), p, a.ip(1), miner)
	a.wait(10*time.Minute, hour)
	a.times(2, 5, 30*time.Minute, "mining", k(guardDuty, "CryptoCurrency:EC2/BitcoinTool.B!DNS", "Instance queries a mining pool", high, "Impact", ""), victim(miner), a.domain(3))
	if a.d.chance(0.6) {
		a.see("mining", k(edr, "CoinMiner", "Cryptocurrency miner started by a user-data script", high, "Impact", "T1496"), victim(miner), plain{"resource", miner.resource}, a.hash(1), a.tool())
	}
}

// passwordSpray: many accounts tried from few addresses, one falls, its mailbox is read.
func passwordSpray(a *attack) {
	p := a.person()
	for i := range a.d.between(2, 5) {
		things := []thing{a.ip(i % 2), victim(p)}
		for _, o := range sample(a.d, a.people, a.d.between(4, 9)) {
			if o != p {
				things = append(things, o)
			}
		}
		a.see("spray", k(identity, "PasswordSpray", "Password spray against several accounts", medium, "CredentialAccess", "T1110.003"), things...)
		a.wait(2*time.Minute, 30*time.Minute)
	}
	a.see("success", k(identity, "UnfamiliarSignIn", "Unfamiliar sign-in properties", medium, "InitialAccess", "T1078"), p, a.ip(0))
	a.wait(20*time.Minute, 3*hour)
	a.see("mailbox", k(xdr, "InboxForwardingRule", "Suspicious inbox forwarding rule", medium, "Collection", "T1114.003"), p, a.ip(0))
	a.times(1, 3, hour, "mailbox", k(xdr, "MassMailAccess", "Unusual volume of mail items accessed", medium, "Collection", "T1114"), p, a.ip(2))
	if a.d.chance(0.5) {
		a.see("share", k(dlp, "MassDownload", "Mass download from a document library", high, "Exfiltration", "T1567"), p, a.ip(2))
	}
}

// oauthConsent: an application gets consent, reads mail, adds credentials and asks the next person.
func oauthConsent(a *attack) {
	p, next := a.person(), a.person()
	evil := app(a.d.guid())
	a.see("lure", k(mail, "ConsentPhish", "Message with an application consent link", medium, "InitialAccess", "T1566.002"), victim(p), link("https://"+a.actor.domains[1]+"/authorize"), a.domain(1))
	a.wait(5*time.Minute, 2*hour)
	a.see("consent", k(identity, "RiskyConsent", "User consented to a risky application", high, "Persistence", "T1528"), p, attacker(evil))
	a.times(1, 3, hour, "read", k(xdr, "AppMailAccess", "Application read an unusual amount of mail", medium, "Collection", "T1114.002"), attacker(evil), p)
	if a.d.chance(0.7) {
		a.wait(hour, 5*hour)
		a.see("spread", k(mail, "InternalPhish", "Internal sender distributes a consent link", high, "LateralMovement", "T1534"), next, a.domain(1))
		a.see("spread", k(identity, "RiskyConsent", "User consented to a risky application", high, "Persistence", "T1528"), next, attacker(evil))
	}
	a.see("persist", k(xdr, "AppCredentialAdded", "Credential added to an application with high privileges", medium, "Persistence", "T1098.001"), attacker(evil), a.ip(0))
}

// insider: five days of taking things home, always from the office.
func insider(a *attack) {
	p := a.person()
	s, db := a.store("azure", "bucket"), a.store("gcp", "database")
	a.see("search", k(dlp, "UnusualSearch", "Unusual searches for confidential documents", low, "Discovery", "T1083"), p, victim(p.laptop))
	a.wait(14*hour, 20*hour)
	a.see("download", k(defender, "Storage.Blob_DataExfiltration.AmountOfDataAnomaly", "Unusual amount of data extracted from a storage account", medium, "Exfiltration", "T1530"), p, victim(s))
	a.wait(14*hour, 22*hour)
	a.times(1, 2, 2*hour, "query", k(scc, "Exfiltration: BigQuery Data Extraction", "Exfiltration: BigQuery Data Extraction", medium, "Exfiltration", "T1567"), p, victim(db))
	a.wait(14*hour, 22*hour)
	a.see("usb", k(dlp, "RemovableMediaCopy", "Confidential files copied to removable media", medium, "Exfiltration", "T1052.001"), p, victim(p.laptop))
	a.see("cleanup", k(edr, "EventLogCleared", "Security event log cleared", medium, "DefenseEvasion", "T1070.001"), p.laptop, p)
	a.wait(14*hour, 22*hour)
	a.see("upload", k(dlp, "PersonalCloudUpload", "Upload to personal cloud storage", high, "Exfiltration", "T1567.002"), p, victim(p.laptop), domain("drive.personal-files.example"))
}

// vishing: the help desk resets a second factor, a remote tool follows, then the domain controller's secrets.
func vishing(a *attack) {
	p := a.person()
	dc := a.server("office", false)
	a.see("reset", k(identity, "MfaMethodReset", "Second factor reset by the help desk", medium, "Persistence", "T1556.006"), victim(p))
	a.wait(2*time.Minute, 20*time.Minute)
	a.see("sign-in", k(identity, "NewDeviceSignIn", "Sign-in from a new device after a factor reset", high, "InitialAccess", "T1078.004"), p, a.ip(0))
	a.see("remote", k(edr, "RemoteToolInstalled", "Remote administration tool installed", medium, "CommandAndControl", "T1219"), victim(p.laptop), p, a.hash(0), a.domain(0))
	a.wait(10*time.Minute, hour)
	a.see("credentials", k(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"), victim(p.laptop), p, a.hash(1))
	a.wait(10*time.Minute, hour)
	a.see("lateral", k(edr, "RemoteServiceExecution", "Service created remotely", high, "LateralMovement", "T1021.002"), victim(dc), context(p.laptop), p)
	a.see("secrets", k(xdr, "NtdsAccess", "Active Directory database copied", high, "CredentialAccess", "T1003.003"), victim(dc), p, a.tool())
	a.wait(10*time.Minute, 2*hour)
	a.see("upload", k(siem, "LargeOutboundTransfer", "Large outbound transfer to a rare address", medium, "Exfiltration", "T1048"), dc, a.ip(0))
}

// dropper: one new file and one new domain on two to four laptops.
func dropper(a *attack) {
	for i := range a.d.between(2, 4) {
		p := a.person()
		a.see("drop", k(edr, "MaliciousFileWritten", "File with malicious behaviour written", medium, "Execution", "T1204.002"), victim(p.laptop), p, a.hash(0))
		if a.d.chance(0.7) {
			a.see("beacon", k(siem, "RareDomainBeacon", "Periodic connections to a rare domain", medium, "CommandAndControl", "T1071.001"), p.laptop, a.domain(0))
		}
		if i == 0 {
			a.see("persist", k(edr, "RunKeyPersistence", "Autostart entry for a rare binary", medium, "Persistence", "T1547.001"), victim(p.laptop), p, a.hash(0))
		}
		if a.d.chance(0.6) {
			a.see("steal", k(xdr, "BrowserCredentialTheft", "Process stole browser credentials", high, "CredentialAccess", "T1555.003"), victim(p.laptop), p, a.hash(1), a.domain(0))
		}
		a.wait(20*time.Minute, 3*hour)
	}
}

// threeClouds: one address tries, and finds, doors in three clouds.
func threeClouds(a *attack) {
	p := a.person()
	key := a.serviceAccount("reporting")
	a.see("azure", k(identity, "MaliciousIpSignIn", "Sign-in from a malicious address", high, "InitialAccess", "T1078.004"), p, a.ip(0))
	a.see("azure", k(defender, "ARM_OperationFromSuspiciousIP", "Suspicious invocation of a high-risk operation", medium, "Execution", ""), p, a.ip(0))
	a.wait(10*time.Minute, hour)
	a.times(1, 2, 20*time.Minute, "aws", k(guardDuty, "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", "API called from an address on a threat list", medium, "", ""), a.iamUser("legacy"), a.ip(0))
	a.wait(10*time.Minute, hour)
	a.see("gcp", k(scc, "Initial Access: Leaked Service Account Key Used", "Initial Access: Leaked Service Account Key Used", high, "InitialAccess", "T1078.004"), key, a.ip(0))
	a.see("gcp", k(scc, "Persistence: Service Account Key Created", "Persistence: Service Account Key Created", low, "Persistence", ""), key, a.ip(0))
	a.see("gcp", k(scc, "Exfiltration: BigQuery Data Exfiltration", "Exfiltration: BigQuery Data Exfiltration", high, "Exfiltration", "T1567"), key, victim(a.store("gcp", "database")))
}

// mailboxFraud: a taken-over mailbox, a rule, and an invoice with a new account number.
func mailboxFraud(a *attack) {
	p := a.person()
	a.see("sign-in", k(identity, "AnonymousIpSignIn", "Sign-in from an anonymizing address", medium, "InitialAccess", "T1090"), p, a.ip(0))
	a.wait(hour, 6*hour)
	a.see("rule", k(xdr, "InboxDeleteRule", "Inbox rule deletes messages about payments", medium, "DefenseEvasion", "T1564.008"), p, a.ip(1))
	a.wait(4*hour, 14*hour)
	a.see("fraud", k(mail, "PaymentFraud", "Reply with changed payment details", high, "Impact", "T1657"), p, a.domain(2))
	if a.d.chance(0.5) {
		a.see("rule", k(xdr, "MailboxDelegation", "Mailbox delegation added", low, "Persistence", "T1098.002"), p, a.ip(1))
	}
}
