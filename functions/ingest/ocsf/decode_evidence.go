package ocsf

import "github.com/onepane/onepane/functions/ingest"

// evidence is one artefact of a detection, with everything it knows about.
type evidence struct {
	Actor                    actor
	Process                  process
	File                     file
	User                     user
	Device                   endpoint
	SrcEndpoint, DstEndpoint endpoint
	Container                container
	API                      struct {
		Operation ingest.Text
		Service   struct{ Name ingest.Text }
		Response  struct{ Error ingest.Text }
	}
	Query          struct{ Hostname ingest.Text }
	URL            struct{ URLString, Hostname ingest.Text }
	ConnectionInfo struct {
		Direction, ProtocolName ingest.Text
		DirectionID             ingest.Number
	}
}

type actor struct {
	User    user
	Process process
	Session struct{ UID, Issuer ingest.Text }
}

type user struct {
	Name, UID, UIDAlt, EmailAddr, Domain, Type, CredentialUID ingest.Text
	Account                                                   struct{ UID ingest.Text }
}

type process struct {
	Name, CmdLine, PID ingest.Text
	File               file
	User               user
	ParentProcess      *process
	Container          container
}

type file struct {
	Name, Path ingest.Text
	Hashes     ingest.List[hash]
}

type hash struct {
	Algorithm, Value ingest.Text
	AlgorithmID      ingest.Number
}

// endpoint is a device or one side of a connection.
type endpoint struct {
	UID, UIDAlt, Name, Hostname, IP, Domain, Port, InstanceUID, Type, Region ingest.Text
	IntermediateIPs, IPv4Addresses                                           ingest.List[ingest.Text]
	Os                                                                       struct{ Name ingest.Text }
	Location                                                                 struct{ Country, City ingest.Text }
	AutonomousSystem                                                         struct{ Name, Number ingest.Text }
	Owner                                                                    user
	NetworkInterfaces                                                        ingest.List[struct{ IP, Hostname ingest.Text }]
}

type container struct {
	UID, Name, PodUUID ingest.Text
	Image              struct{ Name, UID ingest.Text }
}

type observable struct {
	Name, Type, Value ingest.Text
	TypeID            ingest.Number
}

type malware struct {
	Name, Path, UID ingest.Text
	Files           ingest.List[file]
}
