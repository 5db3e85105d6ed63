package attacks

import (
	"fmt"
	"time"
)

// cloudRecipes are attacks on cloud identities and data.
var cloudRecipes = []recipe{
	{"stolen-ci-token", 12 * hour, false, stolenCI},
	{"ssrf-instance-role", 6 * hour, false, ssrfCredentials},
	{"federated-pivot", 10 * hour, false, federatedIdentity},
	{"smash-and-grab", hour, false, smashAndGrab},
	{"slow-key", 6 * day, false, slowKey},
	{"single-alert", hour, false, singleAlert},
	{"managed-identity", 10 * hour, false, managedIdentity},
	{"leaked-sas", 10 * hour, false, leakedSAS},
	{"backup-destruction", 6 * hour, true, backupDestruction},
	{"function-abuse", 8 * hour, false, functionAbuse},
}

// stolenCI: the CI role from outside makes a user, the user empties a bucket.
func stolenCI(a *attack) {
	u, s := a.iamUser("backup-svc"), a.victimStore("aws", "bucket")
	a.raiseAlert("leak", newKind(ci, "SecretInLog", "Token printed in a public build log", high, "CredentialAccess", "T1552.001"), a.ciRole, urlLink("https://ci."+a.tenant.domain+"/runs/"+a.d.drawDigits(6)), a.actorIP(0))
	a.passTime(20*time.Minute, 3*hour)
	a.raiseAlert("use", newKind(guardDuty, "UnauthorizedAccess:IAMUser/TorIPCaller", "API called from a Tor exit node", medium, "InitialAccess", ""), a.ciRole, a.actorIP(0))
	a.raiseAlerts(1, 2, 10*time.Minute, "recon", newKind(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""), a.ciRole, a.actorIP(0))
	a.raiseAlert("persist", newKind(guardDuty, "Persistence:IAMUser/AnomalousBehavior", "User created with an access key", medium, "Persistence", ""), a.ciRole, u, a.actorIP(0))
	a.passTime(20*time.Minute, 2*hour)
	a.raiseAlerts(1, 3, 20*time.Minute, "collect", newKind(guardDuty, "Discovery:S3/AnomalousBehavior", "Anomalous listing of buckets", low, "Discovery", ""), u, s, a.actorIP(1))
	a.raiseAlerts(1, 3, 20*time.Minute, "steal", newKind(guardDuty, "Exfiltration:S3/AnomalousBehavior", "Anomalous reads from a bucket", high, "Exfiltration", ""), u, asVictim(s), a.actorIP(1))
}

// ssrfCredentials: a web request makes the instance give its credentials away; they read a bucket from outside.
func ssrfCredentials(a *attack) {
	m, s := a.victimServer("aws", true), a.victimStore("aws", "bucket")
	role := a.instanceRole(m)
	a.raiseAlerts(1, 4, 5*time.Minute, "probe", newKind(waf, "SSRFAttempt", "Server-side request forgery attempt", medium, "InitialAccess", "T1190"), asVictim(m), a.actorIP(0))
	a.passTime(2*time.Minute, 30*time.Minute)
	a.raiseAlert("metadata", newKind(guardDuty, "UnauthorizedAccess:EC2/MetadataDNSRebind", "Instance metadata reached through DNS rebinding", high, "CredentialAccess", ""), asVictim(m))
	a.raiseAlert("outside", newKind(guardDuty, "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "Instance credentials used from outside", high, "CredentialAccess", ""), role, m, a.actorIP(1))
	a.passTime(5*time.Minute, hour)
	a.raiseAlerts(1, 3, 10*time.Minute, "list", newKind(guardDuty, "Discovery:S3/MaliciousIPCaller", "Bucket listed from a malicious address", high, "Discovery", ""), role, s, a.actorIP(1))
	a.raiseAlerts(1, 3, 20*time.Minute, "steal", newKind(guardDuty, "Exfiltration:S3/MaliciousIPCaller", "Objects read from a malicious address", high, "Exfiltration", ""), role, asVictim(s), a.actorIP(1))
}

// federatedIdentity: a service account of one cloud takes a role in another.
func federatedIdentity(a *attack) {
	sa, s := a.serviceAccount("etl"), a.victimStore("aws", "database")
	role := &service{"user", fmt.Sprintf("arn:aws:sts::%s:assumed-role/gcp-federation/%s", a.aws[1], sa.value)}
	a.raiseAlert("key", newKind(scc, "Initial Access: Dormant Service Account Key Created", "Initial Access: Dormant Service Account Key Created", high, "InitialAccess", "T1078.004"), sa, a.actorIP(0))
	a.raiseAlert("use", newKind(scc, "Persistence: New Geography", "Persistence: New Geography", low, "Persistence", ""), sa, a.actorIP(0))
	a.passTime(20*time.Minute, 2*hour)
	a.raiseAlert("pivot", newKind(guardDuty, "InitialAccess:IAMUser/AnomalousBehavior", "Role assumed with a web identity from an unusual place", medium, "InitialAccess", ""), role, sa, a.actorIP(1))
	a.raiseAlerts(1, 3, 20*time.Minute, "recon", newKind(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""), role, a.actorIP(1))
	a.raiseAlert("steal", newKind(guardDuty, "Exfiltration:RDS/TransferDataToCloudAccount", "Database snapshot shared with an unknown account", high, "Exfiltration", ""), role, asVictim(s))
	a.raiseAlert("steal", newKind(siem, "SnapshotShared", "Database snapshot made public or shared", high, "Exfiltration", "T1537"), role, s)
}

// smashAndGrab: all in ten minutes.
func smashAndGrab(a *attack) {
	a.pace = 0.25
	u, s := a.iamUser("jenkins-old"), a.victimStore("aws", "bucket")
	a.raiseAlert("use", newKind(guardDuty, "UnauthorizedAccess:IAMUser/MaliciousIPCaller", "API called from a malicious address", medium, "InitialAccess", ""), u, a.actorIP(0))
	a.raiseAlert("blind", newKind(guardDuty, "Stealth:IAMUser/CloudTrailLoggingDisabled", "Trail was disabled", low, "DefenseEvasion", ""), u, a.actorIP(0))
	a.raiseAlert("steal", newKind(guardDuty, "Exfiltration:S3/AnomalousBehavior", "Anomalous reads from a bucket", high, "Exfiltration", ""), u, asVictim(s), a.actorIP(0))
	a.raiseAlert("destroy", newKind(guardDuty, "Impact:S3/AnomalousBehavior.Delete", "Objects deleted in bulk", high, "Impact", ""), u, asVictim(s), a.actorIP(0))
	a.raiseAlert("destroy", newKind(siem, "RansomNoteObject", "Object named like a ransom note written", critical, "Impact", "T1486"), s, a.actorIP(0))
}

// slowKey: one step a day, each from another address, always with the same forgotten key.
func slowKey(a *attack) {
	u, s := a.iamUser("report-export"), a.victimStore("aws", "vault")
	steps := []kind{
		newKind(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""),
		newKind(guardDuty, "CredentialAccess:IAMUser/AnomalousBehavior", "Secrets read unusually", medium, "CredentialAccess", ""),
		newKind(guardDuty, "PrivilegeEscalation:IAMUser/AnomalousBehavior", "Policy attached unusually", medium, "PrivilegeEscalation", ""),
		newKind(guardDuty, "DefenseEvasion:IAMUser/AnomalousBehavior", "Logging changed unusually", medium, "DefenseEvasion", ""),
		newKind(guardDuty, "Exfiltration:IAMUser/AnomalousBehavior", "Data exported unusually", high, "Exfiltration", ""),
	}
	for i, one := range steps {
		a.raiseAlert(fmt.Sprintf("day-%d", i+1), one, u, a.actorIP(i%4), asVictim(s))
		a.pace = 1
		a.passTime(18*hour, 27*hour)
	}
}

// singleAlert: the product has seen it all itself.
func singleAlert(a *attack) {
	switch a.d.IntN(4) {
	case 0:
		a.raiseAlert("all", newKind(guardDuty, "AttackSequence:IAM/CompromisedCredentials", "Compromised credentials: a sequence of actions", critical, "", ""), a.iamUser("batch"), a.actorIP(0), asVictim(a.victimStore("aws", "bucket")))
	case 1:
		a.raiseAlert("all", newKind(edr, "RansomwareBlocked", "Ransomware behaviour blocked", high, "Impact", "T1486"), asVictim(a.victimServer("", false)), a.actorHash(0))
	case 2:
		a.raiseAlert("all", newKind(scc, "Exfiltration: Cloud SQL Restore Backup to External Organization", "Exfiltration: Cloud SQL Restore Backup to External Organization", high, "Exfiltration", ""), a.serviceAccount("dba"), asVictim(a.victimStore("gcp", "database")))
	default:
		a.raiseAlert("all", newKind(identity, "LeakedCredentials", "Credentials found in a leak", high, "CredentialAccess", "T1589.001"), asVictim(a.victimPerson()))
	}
}

// managedIdentity: a command run on a machine, its identity, the vault, the storage account.
func managedIdentity(a *attack) {
	p, m, v, s := a.victimPerson(), a.victimServer("azure", false), a.victimStore("azure", "vault"), a.victimStore("azure", "bucket")
	mi := &service{"user", a.d.drawGUID()}
	a.raiseAlert("sign-in", newKind(identity, "AtypicalTravel", "Atypical travel", medium, "InitialAccess", "T1078.004"), p, a.actorIP(0))
	a.passTime(10*time.Minute, hour)
	a.raiseAlert("run", newKind(defender, "VM_RunCommand", "Run command with a suspicious script on a virtual machine", medium, "Execution", "T1059"), p, asVictim(m), a.actorIP(0))
	if a.d.isTrue(0.7) {
		a.raiseAlert("run", newKind(edr, "EncodedPowerShell", "Encoded PowerShell started by the guest agent", high, "Execution", "T1059.001"), asVictim(m), a.actorHash(0))
	}
	a.raiseAlert("token", newKind(defender, "VM_ManagedIdentityTokenTheft", "Managed identity token requested by an unusual process", high, "CredentialAccess", "T1552.005"), m, mi)
	a.passTime(10*time.Minute, hour)
	a.raiseAlerts(1, 3, 10*time.Minute, "vault", newKind(defender, "KV_OperationVolumeAnomaly", "High volume of operations in a key vault", medium, "CredentialAccess", "T1555"), mi, asVictim(v))
	a.raiseAlerts(1, 2, 20*time.Minute, "steal", newKind(defender, "Storage.Blob_DataExfiltration.NumberOfBlobsAnomaly", "Unusual number of blobs extracted", medium, "Exfiltration", "T1530"), mi, asVictim(s))
}

// leakedSAS: a signature that leaked is used from several places; all the thread there is are storage account and
// address.
func leakedSAS(a *attack) {
	s := a.victimStore("azure", "bucket")
	a.raiseAlert("find", newKind(defender, "Storage.Blob_OpenContainersScanning.SuccessfulDiscovery", "Publicly accessible containers discovered", medium, "Discovery", ""), s, a.actorIP(0))
	a.passTime(20*time.Minute, 2*hour)
	a.raiseAlerts(1, 3, 30*time.Minute, "access", newKind(defender, "Storage.Blob_AnonymousAccessAnomaly", "Unusual access with a shared signature", high, "InitialAccess", ""), asVictim(s), a.actorIP(0))
	a.raiseAlerts(1, 3, 30*time.Minute, "steal", newKind(defender, "Storage.Blob_DataExfiltration.AmountOfDataAnomaly", "Unusual amount of data extracted from a storage account", high, "Exfiltration", "T1530"), asVictim(s), a.actorIP(1))
	a.raiseAlert("plant", newKind(defender, "Storage.Blob_MalwareHashReputation", "Malware uploaded to a storage account", high, "LateralMovement", ""), asVictim(s), a.actorHash(0), a.actorIP(1))
}

// backupDestruction: an administrator's account removes protection and backups.
func backupDestruction(a *attack) {
	p, v, s := a.victimPerson(), a.victimStore("azure", "vault"), a.victimStore("azure", "database")
	a.raiseAlert("sign-in", newKind(identity, "TokenReplay", "Session token replayed from another address", high, "InitialAccess", "T1550.004"), p, a.actorIP(0))
	a.passTime(5*time.Minute, 30*time.Minute)
	a.raiseAlert("elevate", newKind(defender, "ARM_AnomalousElevate.Access", "Access elevated to all subscriptions", high, "PrivilegeEscalation", "T1098"), p, a.actorIP(0))
	a.raiseAlert("blind", newKind(defender, "ARM_DiagnosticSettings.Deleted", "Diagnostic settings deleted", medium, "DefenseEvasion", "T1562.008"), p, v)
	a.raiseAlerts(1, 4, 5*time.Minute, "destroy", newKind(defender, "ARM_BackupItems.Deleted", "Protected backup items deleted", high, "Impact", "T1490"), p, asVictim(s))
	a.raiseAlert("destroy", newKind(siem, "MassResourceDeletion", "Many resources deleted by one account", high, "Impact", "T1485"), p, a.actorIP(0))
}

// functionAbuse: a function with a poisoned dependency reads secrets and calls home.
func functionAbuse(a *attack) {
	name := "orders-" + a.d.drawHex(3)
	fn := plain{"resource", fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", a.region, a.aws[0], name)}
	role := &service{"user", fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s-exec/%s", a.aws[0], name, name)}
	v := a.victimStore("aws", "vault")
	a.raiseAlerts(1, 3, 30*time.Minute, "beacon", newKind(guardDuty, "Backdoor:Lambda/C&CActivity.B", "Function talks to a command and control server", high, "CommandAndControl", ""), asVictim(fn), a.actorIP(0))
	a.raiseAlert("role", newKind(guardDuty, "CredentialAccess:IAMUser/AnomalousBehavior", "Secrets read unusually", medium, "CredentialAccess", ""), role, asContext(fn), asVictim(v))
	a.passTime(20*time.Minute, hour)
	a.raiseAlert("outside", newKind(guardDuty, "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS", "Function credentials used from outside", high, "CredentialAccess", ""), role, a.actorIP(0))
	a.raiseAlert("persist", newKind(siem, "AccessKeyCreated", "Access key created by an unusual role", medium, "Persistence", "T1098.001"), role, a.actorIP(0))
}
