package ocsf

// Event is a Detection Finding (2004) or an Incident Finding (2005). Times are milliseconds. What is not known is left
// out. The tag class is on what only one of the two classes knows: the columns of Parquet are made of this type.
type Event struct {
	ActivityID   int    `json:"activity_id"`
	ActivityName string `json:"activity_name"`
	CategoryUID  int    `json:"category_uid"`
	CategoryName string `json:"category_name"`
	ClassUID     int    `json:"class_uid"`
	ClassName    string `json:"class_name"`
	TypeUID      int    `json:"type_uid"`
	TypeName     string `json:"type_name"`
	Time         int64  `json:"time"`
	StartTime    int64  `json:"start_time,omitzero"`
	EndTime      int64  `json:"end_time,omitzero"`
	Count        int64  `json:"count,omitzero"`
	SeverityID   int    `json:"severity_id"`
	Severity     string `json:"severity"`
	StatusID     int    `json:"status_id"`
	Status       string `json:"status"`
	VerdictID    int    `json:"verdict_id,omitzero"`
	Verdict      string `json:"verdict,omitzero"`
	PriorityID   int    `json:"priority_id,omitzero"`
	Priority     string `json:"priority,omitzero"`
	Message      string `json:"message,omitzero"`
	Desc         string `json:"desc,omitzero" class:"2005"`
	SrcURL       string `json:"src_url,omitzero"`
	Comment      string `json:"comment,omitzero"`
	IsAlert      *bool  `json:"is_alert,omitzero" class:"2004"`

	Metadata      Metadata     `json:"metadata"`
	Cloud         *Cloud       `json:"cloud,omitzero"`
	FindingInfo   *Finding     `json:"finding_info,omitzero" class:"2004"`
	Findings      []Finding    `json:"finding_info_list,omitempty" class:"2005"`
	Assignee      *Named       `json:"assignee,omitzero"`
	AssigneeGroup *Named       `json:"assignee_group,omitzero"`
	Evidences     []Evidence   `json:"evidences,omitempty" class:"2004"`
	Resources     []Resource   `json:"resources,omitempty" class:"2004"`
	Observables   []Observable `json:"observables,omitempty"`
	Remediation   *Remediation `json:"remediation,omitzero" class:"2004"`

	Unmapped map[string]string `json:"unmapped,omitempty"`
}

// Metadata is about the event itself.
type Metadata struct {
	Version        string   `json:"version"` // of OCSF
	UID            string   `json:"uid"`
	CorrelationUID string   `json:"correlation_uid,omitzero"`
	EventCode      string   `json:"event_code,omitzero"`
	TenantUID      string   `json:"tenant_uid"`
	Product        Product  `json:"product"`
	Profiles       []string `json:"profiles,omitempty"`
	LoggedTime     int64    `json:"logged_time,omitzero"`
	ProcessedTime  int64    `json:"processed_time,omitzero"`
}

// Product is what reports, or what detected.
type Product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name,omitzero"`
	Version    string `json:"version,omitzero"`
}

// Cloud is where the finding is from.
type Cloud struct {
	Provider   string   `json:"provider"`
	Region     string   `json:"region,omitzero"`
	Account    *Account `json:"account,omitzero"`
	ProjectUID string   `json:"project_uid,omitzero"`
}

// Account is a cloud account.
type Account struct {
	UID    string `json:"uid"`
	Name   string `json:"name,omitzero"`
	TypeID int    `json:"type_id,omitzero"`
	Type   string `json:"type,omitzero"`
}

// Finding is finding_info.
type Finding struct {
	UID           string    `json:"uid"`
	UIDAlt        string    `json:"uid_alt,omitzero"`
	Title         string    `json:"title"`
	Desc          string    `json:"desc,omitzero"`
	SrcURL        string    `json:"src_url,omitzero"`
	Types         []string  `json:"types,omitempty"`
	Analytic      *Analytic `json:"analytic,omitzero"`
	Product       *Product  `json:"product,omitzero"`
	Attacks       []Attack  `json:"attacks,omitempty"`
	CreatedTime   int64     `json:"created_time,omitzero"`
	ModifiedTime  int64     `json:"modified_time,omitzero"`
	FirstSeenTime int64     `json:"first_seen_time,omitzero"`
	LastSeenTime  int64     `json:"last_seen_time,omitzero"`
}

// Analytic is what found it.
type Analytic struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

// Attack is a tactic or a technique of ATT&CK.
type Attack struct {
	Tactic    *Coded `json:"tactic,omitzero"`
	Technique *Coded `json:"technique,omitzero"`
	Version   string `json:"version"`
}

// Coded is a thing with an id and a name.
type Coded struct {
	UID  string `json:"uid"`
	Name string `json:"name,omitzero"`
}

// Named is a user or a group by name.
type Named struct {
	Name string `json:"name"`
}

// Evidence is one thing that was seen.
type Evidence struct {
	Src     *Endpoint `json:"src_endpoint,omitzero"`
	Dst     *Endpoint `json:"dst_endpoint,omitzero"`
	User    *Named    `json:"user,omitzero"`
	File    *File     `json:"file,omitzero"`
	Process *Process  `json:"process,omitzero"`
	URL     *URL      `json:"url,omitzero"`
}

// Endpoint is one end of a connection.
type Endpoint struct {
	IP       string `json:"ip,omitzero"`
	Hostname string `json:"hostname,omitzero"`
}

// File is a file; its type_id is 0, unknown.
type File struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Hashes []Hash `json:"hashes,omitempty"`
}

// Hash is a fingerprint.
type Hash struct {
	AlgorithmID int    `json:"algorithm_id"`
	Value       string `json:"value"`
}

// Process is a process; it has one of pid and uid.
type Process struct {
	PID     int64  `json:"pid,omitzero"`
	UID     string `json:"uid,omitzero"`
	Name    string `json:"name,omitzero"`
	CmdLine string `json:"cmd_line,omitzero"`
}

// URL is an address.
type URL struct {
	URL string `json:"url_string"`
}

// Resource is what is affected.
type Resource struct {
	UID    string `json:"uid"`
	Name   string `json:"name,omitzero"`
	Type   string `json:"type,omitzero"`
	RoleID int    `json:"role_id,omitzero"` // since 1.6
	Role   string `json:"role,omitzero"`
	Region string `json:"region,omitzero"`
}

// Observable is a copy of a value, for search.
type Observable struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
	Value  string `json:"value"`
}

// Remediation is what to do.
type Remediation struct {
	Desc string `json:"desc"`
}
