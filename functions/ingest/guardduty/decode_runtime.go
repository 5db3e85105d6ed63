package guardduty

import "github.com/onepane/onepane/functions/ingest"

// runtimeDetails is what the runtime agent saw: a process, and what it did.
type runtimeDetails struct {
	Process process
	Context runtimeContext
}

type process struct {
	Name, ExecutablePath, ExecutableSha256, Pwd, PID, UUID, User, UserID, CommandLine ingest.Text
	Lineage                                                                           ingest.List[process]
}

type runtimeContext struct {
	ModifyingProcess, TargetProcess                                  *process
	ScriptPath, LibraryPath, LdPreloadValue, SocketPath, MountSource ingest.Text
	RuncBinaryPath, ReleaseAgentPath, ModuleName, ModuleFilePath     ingest.Text
	ModuleSha256, ShellHistoryFilePath, ToolName, ToolCategory       ingest.Text
	ServiceName, CommandLineExample, ThreatFilePath, MountTarget     ingest.Text
}

// scanDetails is an agentless malware scan of an instance's volumes.
type scanDetails struct {
	ScanID, ScanType, TriggerFindingID ingest.Text
	ScanDetections                     struct {
		ThreatDetectedByName struct {
			ThreatNames ingest.List[struct {
				Name, Severity ingest.Text
				FilePaths      ingest.List[struct{ FilePath, FileName, VolumeArn, Hash ingest.Text }]
			}]
		}
	}
}

// malwareScan is a malware scan of an S3 object, a backup or an image.
type malwareScan struct {
	ScanID, ScanType ingest.Text
	Threats          ingest.List[struct {
		Name, Source, Hash ingest.Text
		ItemPaths          ingest.List[struct{ NestedItemPath, Hash ingest.Text }]
		ItemDetails        ingest.List[struct{ ResourceArn, ItemPath, Hash ingest.Text }]
	}]
}
