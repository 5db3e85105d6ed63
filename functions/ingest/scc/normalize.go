package scc

import (
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
)

// classOf tells what happened from what is merely so. Findings from before classes existed are told apart by what the
// old scanners and detectors put in them; when nothing tells, it is a threat, because an alert too many is cheaper
// than one too few.
func classOf(f *finding) alert.Class {
	switch c := strings.ToUpper(emptyUnset(f.FindingClass)); c {
	case "THREAT", "OBSERVATION":
		return alert.Threat
	case "":
		return classOfOldFinding(f)
	default: // vulnerabilities, misconfigurations, errors of SCC itself, and classes still to come: states, not activity
		return alert.Exposure
	}
}

func classOfOldFinding(f *finding) alert.Class {
	switch category := emptyUnset(f.Category); {
	case f.Source.V.DetectionCategory.OK || oldThreats[category]:
		return alert.Threat
	case f.Source.V.ScannerName != "":
		return alert.Exposure
	case category != "" && isScannerCategory(category):
		return alert.Exposure
	}
	return alert.Threat
}

// oldThreats are categories of Anomaly Detection that look like a scanner's.
var oldThreats = map[string]bool{
	"ACCOUNT_HAS_LEAKED_CREDENTIALS": true, "LEAKED_CREDENTIALS": true, "CRYPTOMINING": true,
	"RESOURCE_USED_FOR_CRYPTOMINING": true, "OUTBOUND_INTRUSION_ATTEMPT": true, "SUSPICIOUS_ACTIVITY": true,
}

// isScannerCategory reports whether a category is written as the scanners write theirs: OPEN_FIREWALL, XSS.
func isScannerCategory(category string) bool {
	return strings.IndexFunc(category, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) < 0
}

// statusOf reads state and mute: what is inactive or muted needs no work.
func statusOf(f *finding) alert.Status {
	if emptyUnset(f.Mute) == "MUTED" {
		return alert.StatusResolved
	}
	return alert.ParseStatus(emptyUnset(f.State))
}

func latestTime(ts ...ingest.Time) time.Time {
	var out time.Time
	for _, t := range ts {
		if t.After(out) {
			out = t.Time
		}
	}
	return out
}

// tacticsOf reads mitreAttack, and where it says nothing the category's prefix ("Persistence: IAM Anomalous Grant").
func tacticsOf(f *finding) []attack.Tactic {
	var out []attack.Tactic
	add := func(source attack.Source, word string) {
		if t := attack.Parse(source, word); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, word := range append(ingest.List[ingest.Text]{f.Mitre.V.PrimaryTactic}, f.Mitre.V.AdditionalTactics...) {
		add(attack.SCCEnum, emptyUnset(word))
	}
	if len(out) > 0 {
		return attack.SortTactics(out)
	}
	if prefix, _, ok := strings.Cut(emptyUnset(f.Category), ":"); ok || classOf(f) == "" {
		add(attack.SCCCategory, prefix)
		add("", string(f.Source.V.DetectionCategory.V.Technique))
	}
	return attack.SortTactics(out)
}

// techniquesOf are the ATT&CK ids of the enum words Google uses.
func techniquesOf(f *finding) []string {
	var out []string
	for _, word := range append(slices.Clone(f.Mitre.V.PrimaryTechniques), f.Mitre.V.AdditionalTechniques...) {
		ids := attack.FindTechniques(string(word))
		if id := techniqueIDs[strings.ToUpper(string(word))]; id != "" {
			ids = []string{id}
		}
		for _, id := range ids {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// techniqueIDs translates MitreAttack.Technique of the API (securitycenter v1 and v2 reference).
var techniqueIDs = map[string]string{
	"MASQUERADING": "T1036", "MATCH_LEGITIMATE_NAME_OR_LOCATION": "T1036.005", "BOOT_OR_LOGON_INITIALIZATION_SCRIPTS": "T1037",
	"STARTUP_ITEMS": "T1037.005", "NETWORK_SERVICE_DISCOVERY": "T1046", "PROCESS_DISCOVERY": "T1057",
	"COMMAND_AND_SCRIPTING_INTERPRETER": "T1059", "UNIX_SHELL": "T1059.004", "PYTHON": "T1059.006",
	"EXPLOITATION_FOR_PRIVILEGE_ESCALATION": "T1068", "PERMISSION_GROUPS_DISCOVERY": "T1069", "CLOUD_GROUPS": "T1069.003",
	"INDICATOR_REMOVAL_FILE_DELETION": "T1070.004", "APPLICATION_LAYER_PROTOCOL": "T1071", "DNS": "T1071.004",
	"SOFTWARE_DEPLOYMENT_TOOLS": "T1072", "VALID_ACCOUNTS": "T1078", "DEFAULT_ACCOUNTS": "T1078.001",
	"LOCAL_ACCOUNTS": "T1078.003", "CLOUD_ACCOUNTS": "T1078.004", "PROXY": "T1090", "EXTERNAL_PROXY": "T1090.002",
	"MULTI_HOP_PROXY": "T1090.003", "ACCOUNT_MANIPULATION": "T1098", "ADDITIONAL_CLOUD_CREDENTIALS": "T1098.001",
	"ADDITIONAL_CLOUD_ROLES": "T1098.003", "SSH_AUTHORIZED_KEYS": "T1098.004", "ADDITIONAL_CONTAINER_CLUSTER_ROLES": "T1098.006",
	"MULTI_STAGE_CHANNELS": "T1104", "INGRESS_TOOL_TRANSFER": "T1105", "NATIVE_API": "T1106", "BRUTE_FORCE": "T1110",
	"AUTOMATED_COLLECTION": "T1119", "SHARED_MODULES": "T1129", "DATA_ENCODING": "T1132", "STANDARD_ENCODING": "T1132.001",
	"ACCESS_TOKEN_MANIPULATION": "T1134", "TOKEN_IMPERSONATION_OR_THEFT": "T1134.001", "CREATE_ACCOUNT": "T1136",
	"LOCAL_ACCOUNT": "T1136.001", "DEOBFUSCATE_DECODE_FILES_OR_INFO": "T1140", "EXPLOIT_PUBLIC_FACING_APPLICATION": "T1190",
	"USER_EXECUTION": "T1204", "DOMAIN_POLICY_MODIFICATION": "T1484", "DATA_DESTRUCTION": "T1485", "DATA_ENCRYPTED_FOR_IMPACT": "T1486",
	"SERVICE_STOP": "T1489", "INHIBIT_SYSTEM_RECOVERY": "T1490", "FIRMWARE_CORRUPTION": "T1495", "RESOURCE_HIJACKING": "T1496",
	"NETWORK_DENIAL_OF_SERVICE": "T1498", "CLOUD_SERVICE_DISCOVERY": "T1526", "STEAL_APPLICATION_ACCESS_TOKEN": "T1528",
	"ACCOUNT_ACCESS_REMOVAL": "T1531", "TRANSFER_DATA_TO_CLOUD_ACCOUNT": "T1537", "STEAL_WEB_SESSION_COOKIE": "T1539",
	"CREATE_OR_MODIFY_SYSTEM_PROCESS": "T1543", "EVENT_TRIGGERED_EXECUTION": "T1546", "BOOT_OR_LOGON_AUTOSTART_EXECUTION": "T1547",
	"KERNEL_MODULES_AND_EXTENSIONS": "T1547.006", "SHORTCUT_MODIFICATION": "T1547.009", "ABUSE_ELEVATION_CONTROL_MECHANISM": "T1548",
	"ABUSE_ELEVATION_CONTROL_MECHANISM_SETUID_AND_SETGID": "T1548.001", "ABUSE_ELEVATION_CONTROL_MECHANISM_SUDO_AND_SUDO_CACHING": "T1548.003",
	"UNSECURED_CREDENTIALS": "T1552", "CREDENTIALS_IN_FILES": "T1552.001", "BASH_HISTORY": "T1552.003", "PRIVATE_KEYS": "T1552.004",
	"SUBVERT_TRUST_CONTROL": "T1553", "INSTALL_ROOT_CERTIFICATE": "T1553.004", "COMPROMISE_HOST_SOFTWARE_BINARY": "T1554",
	"CREDENTIALS_FROM_PASSWORD_STORES": "T1555", "MODIFY_AUTHENTICATION_PROCESS": "T1556", "PLUGGABLE_AUTHENTICATION_MODULES": "T1556.003",
	"MULTI_FACTOR_AUTHENTICATION": "T1556.006", "IMPAIR_DEFENSES": "T1562", "DISABLE_OR_MODIFY_TOOLS": "T1562.001",
	"INDICATOR_BLOCKING": "T1562.006", "DISABLE_OR_MODIFY_LINUX_AUDIT_SYSTEM": "T1562.012", "HIDE_ARTIFACTS": "T1564",
	"HIDDEN_FILES_AND_DIRECTORIES": "T1564.001", "HIDDEN_USERS": "T1564.002", "EXFILTRATION_OVER_WEB_SERVICE": "T1567",
	"EXFILTRATION_TO_CLOUD_STORAGE": "T1567.002", "DYNAMIC_RESOLUTION": "T1568", "LATERAL_TOOL_TRANSFER": "T1570",
	"HIJACK_EXECUTION_FLOW": "T1574", "HIJACK_EXECUTION_FLOW_DYNAMIC_LINKER_HIJACKING": "T1574.006",
	"MODIFY_CLOUD_COMPUTE_INFRASTRUCTURE": "T1578", "CREATE_SNAPSHOT": "T1578.001", "CLOUD_INFRASTRUCTURE_DISCOVERY": "T1580",
	"DEVELOP_CAPABILITIES": "T1587", "DEVELOP_CAPABILITIES_MALWARE": "T1587.001", "OBTAIN_CAPABILITIES": "T1588",
	"OBTAIN_CAPABILITIES_MALWARE": "T1588.001", "OBTAIN_CAPABILITIES_VULNERABILITIES": "T1588.006", "ACTIVE_SCANNING": "T1595",
	"SCANNING_IP_BLOCKS": "T1595.001", "STAGE_CAPABILITIES": "T1608", "UPLOAD_MALWARE": "T1608.001",
	"CONTAINER_ADMINISTRATION_COMMAND": "T1609", "DEPLOY_CONTAINER": "T1610", "ESCAPE_TO_HOST": "T1611",
	"CONTAINER_AND_RESOURCE_DISCOVERY": "T1613", "REFLECTIVE_CODE_LOADING": "T1620",
	"STEAL_OR_FORGE_AUTHENTICATION_CERTIFICATES": "T1649", "FINANCIAL_THEFT": "T1657", "EXPLOITATION_OF_REMOTE_SERVICES": "T1210",
	"REMOTE_SERVICES": "T1021", "SSH": "T1021.004", "SCHEDULED_TASK_JOB": "T1053", "SCHEDULED_TASK_SCHEDULED_TASK_JOB": "T1053",
	"CONTAINER_ORCHESTRATION_JOB": "T1053.007", "PROCESS_INJECTION": "T1055", "INPUT_CAPTURE": "T1056",
	"INPUT_CAPTURE_KEYLOGGING": "T1056.001", "OBFUSCATED_FILES_OR_INFO": "T1027", "STEGANOGRAPHY": "T1027.003",
	"COMPILE_AFTER_DELIVERY": "T1027.004", "COMMAND_OBFUSCATION": "T1027.010", "DATA_OBFUSCATION": "T1001",
	"DATA_OBFUSCATION_STEGANOGRAPHY": "T1001.002", "OS_CREDENTIAL_DUMPING": "T1003",
	"OS_CREDENTIAL_DUMPING_PROC_FILESYSTEM": "T1003.007", "OS_CREDENTIAL_DUMPING_ETC_PASSWORD_AND_ETC_SHADOW": "T1003.008",
	"DATA_FROM_LOCAL_SYSTEM": "T1005", "REMOTE_ACCESS_TOOLS": "T1219", "FILE_AND_DIRECTORY_DISCOVERY": "T1083",
	"ACCOUNT_DISCOVERY_LOCAL_ACCOUNT": "T1087.001",
}
