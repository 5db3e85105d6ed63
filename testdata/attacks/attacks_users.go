package attacks

import "time"

// userRecipes are attacks that begin with a person.
var userRecipes = []recipe{
	{"phishing-to-mining", 10 * hour, true, phishingToMining},
	{"password-spray", day, true, passwordSpray},
	{"oauth-consent", day, true, oauthConsent},
	{"insider-exfiltration", 6 * day, true, insiderTheft},
	{"helpdesk-vishing", 12 * hour, true, helpDeskVishing},
	{"dropper-on-laptops", day, true, laptopDropper},
	{"three-clouds-one-address", 8 * hour, true, threeClouds},
	{"mailbox-fraud", 2 * day, true, mailboxFraud},
}

// phishingToMining: mail → laptop → console session → new instance → mining.
func phishingToMining(a *attack) {
	p, miner := a.victimPerson(), newMachine(a.d, a.tenant, "aws", "render", 80+a.d.IntN(19))
	a.raiseAlert("phish", newKind(mail, "MaliciousUrlDelivered", "Message with a malicious link delivered", medium, "InitialAccess", "T1566.002"), asVictim(p), urlLink("https://"+a.actor.domains[0]+"/signin"), a.actorDomain(0))
	a.passTime(5*time.Minute, 90*time.Minute)
	a.raiseAlert("click", newKind(edr, "BrowserCredentialPhish", "Credentials entered on a known phishing page", high, "CredentialAccess", "T1056.003"), asVictim(p.laptop), p, a.actorDomain(0))
	if a.d.isTrue(0.7) {
		a.raiseAlert("click", newKind(edr, "SuspiciousDownload", "Unsigned download started from a browser", medium, "Execution", "T1204.002"), asVictim(p.laptop), p, a.actorHash(0))
	}
	a.passTime(10*time.Minute, hour)
	a.raiseAlert("sign-in", newKind(identity, "AnomalousToken", "Anomalous token used for sign-in", high, "InitialAccess", "T1078.004"), asVictim(p), a.actorIP(0))
	a.raiseAlert("console", newKind(guardDuty, "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", "Unusual console login", medium, "InitialAccess", ""), p, a.actorIP(0))
	a.passTime(10*time.Minute, hour)
	a.raiseAlerts(1, 3, 10*time.Minute, "recon", newKind(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""), p, a.actorIP(0))
	a.raiseAlert("persist", newKind(guardDuty, "Persistence:IAMUser/AnomalousBehavior", "Anomalous persistence APIs called", medium, "Persistence", ""), p, a.actorIP(1))
	a.raiseAlert("launch", newKind(guardDuty, "Impact:IAMUser/AnomalousBehavior", "RunInstances called unusually", high, "Impact", ""), p, a.actorIP(1), miner)
	a.passTime(10*time.Minute, hour)
	a.raiseAlerts(2, 5, 30*time.Minute, "mining", newKind(guardDuty, "CryptoCurrency:EC2/BitcoinTool.B!DNS", "Instance queries a mining pool", high, "Impact", ""), asVictim(miner), a.actorDomain(3))
	if a.d.isTrue(0.6) {
		a.raiseAlert("mining", newKind(edr, "CoinMiner", "Cryptocurrency miner started by a user-data script", high, "Impact", "T1496"), asVictim(miner), plain{"resource", miner.resource}, a.actorHash(1), a.actorTool())
	}
}

// passwordSpray: many accounts tried from few addresses, one falls, its mailbox is read.
func passwordSpray(a *attack) {
	p := a.victimPerson()
	for i := range a.d.drawInt(2, 5) {
		things := []thing{a.actorIP(i % 2), asVictim(p)}
		for _, o := range pickSome(a.d, a.people, a.d.drawInt(4, 9)) {
			if o != p {
				things = append(things, o)
			}
		}
		a.raiseAlert("spray", newKind(identity, "PasswordSpray", "Password spray against several accounts", medium, "CredentialAccess", "T1110.003"), things...)
		a.passTime(2*time.Minute, 30*time.Minute)
	}
	a.raiseAlert("success", newKind(identity, "UnfamiliarSignIn", "Unfamiliar sign-in properties", medium, "InitialAccess", "T1078"), p, a.actorIP(0))
	a.passTime(20*time.Minute, 3*hour)
	a.raiseAlert("mailbox", newKind(xdr, "InboxForwardingRule", "Suspicious inbox forwarding rule", medium, "Collection", "T1114.003"), p, a.actorIP(0))
	a.raiseAlerts(1, 3, hour, "mailbox", newKind(xdr, "MassMailAccess", "Unusual volume of mail items accessed", medium, "Collection", "T1114"), p, a.actorIP(2))
	if a.d.isTrue(0.5) {
		a.raiseAlert("share", newKind(dlp, "MassDownload", "Mass download from a document library", high, "Exfiltration", "T1567"), p, a.actorIP(2))
	}
}

// oauthConsent: an application gets consent, reads mail, adds credentials and asks the next person.
func oauthConsent(a *attack) {
	p, next := a.victimPerson(), a.victimPerson()
	evil := appName(a.d.drawGUID())
	a.raiseAlert("lure", newKind(mail, "ConsentPhish", "Message with an application consent link", medium, "InitialAccess", "T1566.002"), asVictim(p), urlLink("https://"+a.actor.domains[1]+"/authorize"), a.actorDomain(1))
	a.passTime(5*time.Minute, 2*hour)
	a.raiseAlert("consent", newKind(identity, "RiskyConsent", "User consented to a risky application", high, "Persistence", "T1528"), p, asAttacker(evil))
	a.raiseAlerts(1, 3, hour, "read", newKind(xdr, "AppMailAccess", "Application read an unusual amount of mail", medium, "Collection", "T1114.002"), asAttacker(evil), p)
	if a.d.isTrue(0.7) {
		a.passTime(hour, 5*hour)
		a.raiseAlert("spread", newKind(mail, "InternalPhish", "Internal sender distributes a consent link", high, "LateralMovement", "T1534"), next, a.actorDomain(1))
		a.raiseAlert("spread", newKind(identity, "RiskyConsent", "User consented to a risky application", high, "Persistence", "T1528"), next, asAttacker(evil))
	}
	a.raiseAlert("persist", newKind(xdr, "AppCredentialAdded", "Credential added to an application with high privileges", medium, "Persistence", "T1098.001"), asAttacker(evil), a.actorIP(0))
}

// insiderTheft: five days of taking things home, always from the office.
func insiderTheft(a *attack) {
	p := a.victimPerson()
	s, db := a.victimStore("azure", "bucket"), a.victimStore("gcp", "database")
	a.raiseAlert("search", newKind(dlp, "UnusualSearch", "Unusual searches for confidential documents", low, "Discovery", "T1083"), p, asVictim(p.laptop))
	a.passTime(14*hour, 20*hour)
	a.raiseAlert("download", newKind(defender, "Storage.Blob_DataExfiltration.AmountOfDataAnomaly", "Unusual amount of data extracted from a storage account", medium, "Exfiltration", "T1530"), p, asVictim(s))
	a.passTime(14*hour, 22*hour)
	a.raiseAlerts(1, 2, 2*hour, "query", newKind(scc, "Exfiltration: BigQuery Data Extraction", "Exfiltration: BigQuery Data Extraction", medium, "Exfiltration", "T1567"), p, asVictim(db))
	a.passTime(14*hour, 22*hour)
	a.raiseAlert("usb", newKind(dlp, "RemovableMediaCopy", "Confidential files copied to removable media", medium, "Exfiltration", "T1052.001"), p, asVictim(p.laptop))
	a.raiseAlert("cleanup", newKind(edr, "EventLogCleared", "Security event log cleared", medium, "DefenseEvasion", "T1070.001"), p.laptop, p)
	a.passTime(14*hour, 22*hour)
	a.raiseAlert("upload", newKind(dlp, "PersonalCloudUpload", "Upload to personal cloud storage", high, "Exfiltration", "T1567.002"), p, asVictim(p.laptop), domainName("drive.personal-files.example"))
}

// helpDeskVishing: the help desk resets a second factor, a remote tool follows, then the domain controller's secrets.
func helpDeskVishing(a *attack) {
	p := a.victimPerson()
	dc := a.victimServer("office", false)
	a.raiseAlert("reset", newKind(identity, "MfaMethodReset", "Second factor reset by the help desk", medium, "Persistence", "T1556.006"), asVictim(p))
	a.passTime(2*time.Minute, 20*time.Minute)
	a.raiseAlert("sign-in", newKind(identity, "NewDeviceSignIn", "Sign-in from a new device after a factor reset", high, "InitialAccess", "T1078.004"), p, a.actorIP(0))
	a.raiseAlert("remote", newKind(edr, "RemoteToolInstalled", "Remote administration tool installed", medium, "CommandAndControl", "T1219"), asVictim(p.laptop), p, a.actorHash(0), a.actorDomain(0))
	a.passTime(10*time.Minute, hour)
	a.raiseAlert("credentials", newKind(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"), asVictim(p.laptop), p, a.actorHash(1))
	a.passTime(10*time.Minute, hour)
	a.raiseAlert("lateral", newKind(edr, "RemoteServiceExecution", "Service created remotely", high, "LateralMovement", "T1021.002"), asVictim(dc), asContext(p.laptop), p)
	a.raiseAlert("secrets", newKind(xdr, "NtdsAccess", "Active Directory database copied", high, "CredentialAccess", "T1003.003"), asVictim(dc), p, a.actorTool())
	a.passTime(10*time.Minute, 2*hour)
	a.raiseAlert("upload", newKind(siem, "LargeOutboundTransfer", "Large outbound transfer to a rare address", medium, "Exfiltration", "T1048"), dc, a.actorIP(0))
}

// laptopDropper: one new file and one new domain on two to four laptops.
func laptopDropper(a *attack) {
	for i := range a.d.drawInt(2, 4) {
		p := a.victimPerson()
		a.raiseAlert("drop", newKind(edr, "MaliciousFileWritten", "File with malicious behaviour written", medium, "Execution", "T1204.002"), asVictim(p.laptop), p, a.actorHash(0))
		if a.d.isTrue(0.7) {
			a.raiseAlert("beacon", newKind(siem, "RareDomainBeacon", "Periodic connections to a rare domain", medium, "CommandAndControl", "T1071.001"), p.laptop, a.actorDomain(0))
		}
		if i == 0 {
			a.raiseAlert("persist", newKind(edr, "RunKeyPersistence", "Autostart entry for a rare binary", medium, "Persistence", "T1547.001"), asVictim(p.laptop), p, a.actorHash(0))
		}
		if a.d.isTrue(0.6) {
			a.raiseAlert("steal", newKind(xdr, "BrowserCredentialTheft", "Process stole browser credentials", high, "CredentialAccess", "T1555.003"), asVictim(p.laptop), p, a.actorHash(1), a.actorDomain(0))
		}
		a.passTime(20*time.Minute, 3*hour)
	}
}

// threeClouds: one address tries, and finds, doors in three clouds.
func threeClouds(a *attack) {
	p := a.victimPerson()
	key := a.serviceAccount("reporting")
	a.raiseAlert("azure", newKind(identity, "MaliciousIpSignIn", "Sign-in from a malicious address", high, "InitialAccess", "T1078.004"), p, a.actorIP(0))
	a.raiseAlert("azure", newKind(defender, "ARM_OperationFromSuspiciousIP", "Suspicious invocation of a high-risk operation", medium, "Execution", ""), p, a.actorIP(0))
	a.passTime(10*time.Minute, hour)
	a.raiseAlerts(1, 2, 20*time.Minute, "aws", newKind(guardDuty, "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", "API called from an address on a threat list", medium, "", ""), a.iamUser("legacy"), a.actorIP(0))
	a.passTime(10*time.Minute, hour)
	a.raiseAlert("gcp", newKind(scc, "Initial Access: Leaked Service Account Key Used", "Initial Access: Leaked Service Account Key Used", high, "InitialAccess", "T1078.004"), key, a.actorIP(0))
	a.raiseAlert("gcp", newKind(scc, "Persistence: Service Account Key Created", "Persistence: Service Account Key Created", low, "Persistence", ""), key, a.actorIP(0))
	a.raiseAlert("gcp", newKind(scc, "Exfiltration: BigQuery Data Exfiltration", "Exfiltration: BigQuery Data Exfiltration", high, "Exfiltration", "T1567"), key, asVictim(a.victimStore("gcp", "database")))
}

// mailboxFraud: a taken-over mailbox, a rule, and an invoice with a new account number.
func mailboxFraud(a *attack) {
	p := a.victimPerson()
	a.raiseAlert("sign-in", newKind(identity, "AnonymousIpSignIn", "Sign-in from an anonymizing address", medium, "InitialAccess", "T1090"), p, a.actorIP(0))
	a.passTime(hour, 6*hour)
	a.raiseAlert("rule", newKind(xdr, "InboxDeleteRule", "Inbox rule deletes messages about payments", medium, "DefenseEvasion", "T1564.008"), p, a.actorIP(1))
	a.passTime(4*hour, 14*hour)
	a.raiseAlert("fraud", newKind(mail, "PaymentFraud", "Reply with changed payment details", high, "Impact", "T1657"), p, a.actorDomain(2))
	if a.d.isTrue(0.5) {
		a.raiseAlert("rule", newKind(xdr, "MailboxDelegation", "Mailbox delegation added", low, "Persistence", "T1098.002"), p, a.actorIP(1))
	}
}
