package attacks

import (
	"fmt"
	"time"
)

// cloudRecipes are attacks on cloud identities and data.
var cloudRecipes = []recipe{
	{"stolen-ci-token", 12 * hour, false, stolenCI},
	{"ssrf-instance-role", 6 * hour, false, ssrf},
	{"federated-pivot", 10 * hour, false, federated},
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
	u, s := a.iamUser("backup-svc"), a.store("aws", "bucket")
	a.see("leak", k(ci, "SecretInLog", "Token printed in a public build log", high, "CredentialAccess", "T1552.001"), a.ciRole, link("https://ci."+a.tenant.domain+"/runs/"+a.d.digits(6)), a.ip(0))
	a.wait(20*time.Minute, 3*hour)
	a.see("use", k(guardDuty, "UnauthorizedAccess:IAMUser/TorIPCaller", "API called from a Tor exit node", medium, "InitialAccess", ""), a.ciRole, a.ip(0))
	a.times(1, 2, 10*time.Minute, "recon", k(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""), a.ciRole, a.ip(0))
	a.see("persist", k(guardDuty, "Persistence:IAMUser/AnomalousBehavior", "User created with an access key", medium, "Persistence", ""), a.ciRole, u, a.ip(0))
	a.wait(20*time.Minute, 2*hour)
	a.times(1, 3, 20*time.Minute, "collect", k(guardDuty, "Discovery:S3/AnomalousBehavior", "Anomalous listing of buckets", low, "Discovery", ""), u, s, a.ip(1))
	a.times(1, 3, 20*time.Minute, "steal", k(guardDuty, "Exfiltration:S3/AnomalousBehavior", "Anomalous reads from a bucket", high, "Exfiltration", ""), u, victim(s), a.ip(1))
}

// ssrf: a web request makes the instance give its credentials away; they read a bucket from outside.
func ssrf(a *attack) {
	m, s := a.server("aws", true), a.store("aws", "bucket")
	role := a.instanceRole(m)
	a.times(1, 4, 5*time.Minute, "probe", k(waf, "SSRFAttempt", "Server-side request forgery attempt", medium, "InitialAccess", "T1190"), victim(m), a.ip(0))
	a.wait(2*time.Minute, 30*time.Minute)
	a.see("metadata", k(guardDuty, "UnauthorizedAccess:EC2/MetadataDNSRebind", "Instance metadata reached through DNS rebinding", high, "CredentialAccess", ""), victim(m))
	a.see("outside", k(guardDuty, "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "Instance credentials used from outside", high, "CredentialAccess", ""), role, m, a.ip(1))
	a.wait(5*time.Minute, hour)
	a.times(1, 3, 10*time.Minute, "list", k(guardDuty, "Discovery:S3/MaliciousIPCaller", "Bucket listed from a malicious address", high, "Discovery", ""), role, s, a.ip(1))
	a.times(1, 3, 20*time.Minute, "steal", k(guardDuty, "Exfiltration:S3/MaliciousIPCaller", "Objects read from a malicious address", high, "Exfiltration", ""), role, victim(s), a.ip(1))
}

// federated: a service account of one cloud takes a role in another.
func federated(a *attack) {
	sa, s := a.serviceAccount("etl"), a.store("aws", "database")
	role := &service{"user", fmt.Sprintf("arn:aws:sts::%s:assumed-role/gcp-federation/%s", a.aws[1], sa.value)}
	a.see("key", k(scc, "Initial Access: Dormant Service Account Key Created", "Initial Access: Dormant Service Account Key Created", high, "InitialAccess", "T1078.004"), sa, a.ip(0))
	a.see("use", k(scc, "Persistence: New Geography", "Persistence: New Geography", low, "Persistence", ""), sa, a.ip(0))
	a.wait(20*time.Minute, 2*hour)
	a.see("pivot", k(guardDuty, "InitialAccess:IAMUser/AnomalousBehavior", "Role assumed with a web identity from an unusual place", medium, "InitialAccess", ""), role, sa, a.ip(1))
	a.times(1, 3, 20*time.Minute, "recon", k(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""), role, a.ip(1))
	a.see("steal", k(guardDuty, "Exfiltration:RDS/TransferDataToCloudAccount", "Database snapshot shared with an unknown account", high, "Exfiltration", ""), role, victim(s))
	a.see("steal", k(siem, "SnapshotShared", "Database snapshot made public or shared", high, "Exfiltration", "T1537"), role, s)
}

// smashAndGrab: all in ten minutes.
func smashAndGrab(a *attack) {
	a.pace = 0.25
	u, s := a.iamUser("jenkins-old"), a.store("aws", "bucket")
	a.see("use", k(guardDuty, "UnauthorizedAccess:IAMUser/MaliciousIPCaller", "API called from a malicious address", medium, "InitialAccess", ""), u, a.ip(0))
	a.see("blind", k(guardDuty, "Stealth:IAMUser/CloudTrailLoggingDisabled", "Trail was disabled", low, "DefenseEvasion", ""), u, a.ip(0))
	a.see("steal", k(guardDuty, "Exfiltration:S3/AnomalousBehavior", "Anomalous reads from a bucket", high, "Exfiltration", ""), u, victim(s), a.ip(0))
	a.see("destroy", k(guardDuty, "Impact:S3/AnomalousBehavior.Delete", "Objects deleted in bulk", high, "Impact", ""), u, victim(s), a.ip(0))
	a.see("destroy", k(siem, "RansomNoteObject", "Object named like a ransom note written", critical, "Impact", "T1486"), s, a.ip(0))
}

// slowKey: one step a day, each from another address, always with the same forgotten key.
func slowKey(a *attack) {
	u, s := a.iamUser("report-export"), a.store("aws", "vault")
	steps := []kind{
		k(guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Anomalous discovery APIs called", low, "Discovery", ""),
		k(guardDuty, "CredentialAccess:IAMUser/AnomalousBehavior", "Secrets read unusually", medium, "CredentialAccess", ""),
		k(guardDuty, "PrivilegeEscalation:IAMUser/AnomalousBehavior", "Policy attached unusually", medium, "PrivilegeEscalation", ""),
		k(guardDuty, "DefenseEvasion:IAMUser/AnomalousBehavior", "Logging changed unusually", medium, "DefenseEvasion", ""),
		k(guardDuty, "Exfiltration:IAMUser/AnomalousBehavior", "Data exported unusually", high, "Exfiltration", ""),
	}
	for i, one := range steps {
		a.see(fmt.Sprintf("day-%d", i+1), one, u, a.ip(i%4), victim(s))
		a.pace = 1
		a.wait(18*hour, 27*hour)
	}
}

// singleAlert: the product has seen it all itself.
func singleAlert(a *attack) {
	switch a.d.IntN(4) {
	case 0:
		a.see("all", k(guardDuty, "AttackSequence:IAM/CompromisedCredentials", "Compromised credentials: a sequence of actions", critical, "", ""), a.iamUser("batch"), a.ip(0), victim(a.store("aws", "bucket")))
	case 1:
		a.see("all", k(edr, "RansomwareBlocked", "Ransomware behaviour blocked", high, "Impact", "T1486"), victim(a.server("", false)), a.hash(0))
	case 2:
		a.see("all", k(scc, "Exfiltration: Cloud SQL Restore Backup to External Organization", "Exfiltration: Cloud SQL Restore Backup to External Organization", high, "Exfiltration", ""), a.serviceAccount("dba"), victim(a.store("gcp", "database")))
	default:
		a.see("all", k(identity, "LeakedCredentials", "Credentials found in a leak", high, "CredentialAccess", "T1589.001"), victim(a.person()))
	}
}

// managedIdentity: a command run on a machine, its identity, the vault, the storage account.
func managedIdentity(a *attack) {
	p, m, v, s := a.person(), a.server("azure", false), a.store("azure", "vault"), a.store("azure", "bucket")
	mi := &service{"user", a.d.guid()}
	a.see("sign-in", k(identity, "AtypicalTravel", "Atypical travel", medium, "InitialAccess", "T1078.004"), p, a.ip(0))
	a.wait(10*time.Minute, hour)
	a.see("run", k(defender, "VM_RunCommand", "Run command with a suspicious script on a virtual machine", medium, "Execution", "T1059"), p, victim(m), a.ip(0))
	if a.d.chance(0.7) {
		a.see("run", k(edr, "EncodedPowerShell", "Encoded PowerShell started by the guest agent", high, "Execution", "T1059.001"), victim(m), a.hash(0))
	}
	a.see("token", k(defender, "VM_ManagedIdentityTokenTheft", "Managed identity token requested by an unusual process", high, "CredentialAccess", "T1552.005"), m, mi)
	a.wait(10*time.Minute, hour)
	a.times(1, 3, 10*time.Minute, "vault", k(defender, "KV_OperationVolumeAnomaly", "High volume of operations in a key vault", medium, "CredentialAccess", "T1555"), mi, victim(v))
	a.times(1, 2, 20*time.Minute, "steal", k(defender, "Storage.Blob_DataExfiltration.NumberOfBlobsAnomaly", "Unusual number of blobs extracted", medium, "Exfiltration", "T1530"), mi, victim(s))
}

// leakedSAS: a signature that leaked is used from several places; all the thread there is are storage account and address.
func leakedSAS(a *attack) {
	s := a.store("azure", "bucket")
	a.see("find", k(defender, "Storage.Blob_OpenContainersScanning.SuccessfulDiscovery", "Publicly accessible containers discovered", medium, "Discovery", ""), s, a.ip(0))
	a.wait(20*time.Minute, 2*hour)
	a.times(1, 3, 30*time.Minute, "access", k(defender, "Storage.Blob_AnonymousAccessAnomaly", "Unusual access with a shared signature", high, "InitialAccess", ""), victim(s), a.ip(0))
	a.times(1, 3, 30*time.Minute, "steal", k(defender, "Storage.Blob_DataExfiltration.AmountOfDataAnomaly", "Unusual amount of data extracted from a storage account", high, "Exfiltration", "T1530"), victim(s), a.ip(1))
	a.see("plant", k(defender, "Storage.Blob_MalwareHashReputation", "Malware uploaded to a storage account", high, "LateralMovement", ""), victim(s), a.hash(0), a.ip(1))
}

// backupDestruction: an administrator's account removes protection and backups.
func backupDestruction(a *attack) {
	p, v, s := a.person(), a.store("azure", "vault"), a.store("azure", "database")
	a.see("sign-in", k(identity, "TokenReplay", "Session token replayed from another address", high, "InitialAccess", "T1550.004"), p, a.ip(0))
	a.wait(5*time.Minute, 30*time.Minute)
	a.see("elevate", k(defender, "ARM_AnomalousElevate.Access", "Access elevated to all subscriptions", high, "PrivilegeEscalation", "T1098"), p, a.ip(0))
	a.see("blind", k(defender, "ARM_DiagnosticSettings.Deleted", "Diagnostic settings deleted", medium, "DefenseEvasion", "T1562.008"), p, v)
	a.times(1, 4, 5*time.Minute, "destroy", k(defender, "ARM_BackupItems.Deleted", "Protected backup items deleted", high, "Impact", "T1490"), p, victim(s))
	a.see("destroy", k(siem, "MassResourceDeletion", "Many resources deleted by one account", high, "Impact", "T1485"), p, a.ip(0))
}

// functionAbuse: a function with a poisoned dependency reads secrets and calls home.
func functionAbuse(a *attack) {
	name := "orders-" + a.d.hex(3)
	fn := plain{"resource", fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", a.region, a.aws[0], name)}
	role := &service{"user", fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s-exec/%s", a.aws[0], name, name)}
	v := a.store("aws", "vault")
	a.times(1, 3, 30*time.Minute, "beacon", k(guardDuty, "Backdoor:Lambda/C&CActivity.B", "Function talks to a command and control server", high, "CommandAndControl", ""), victim(fn), a.ip(0))
	a.see("role", k(guardDuty, "CredentialAccess:IAMUser/AnomalousBehavior", "Secrets read unusually", medium, "CredentialAccess", ""), role, context(fn), victim(v))
	a.wait(20*time.Minute, hour)
	a.see("outside", k(guardDuty, "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS", "Function credentials used from outside", high, "CredentialAccess", ""), role, a.ip(0))
	a.see("persist", k(siem, "AccessKeyCreated", "Access key created by an unusual role", medium, "Persistence", "T1098.001"), role, a.ip(0))
}
